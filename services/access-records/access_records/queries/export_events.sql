-- What became of every export, and who took it, in the order of ExportEvent's fields, the digest in hexadecimal.
SELECT
    export_id, event_id, event, failure, `rows`, bytes, hex(digest) AS digest, expire_ms, as_of_ms, account_id, client_id,
    toUnixTimestamp64Milli(note_time) AS note_ms
FROM store.export_events FINAL
