-- Every export that was ever asked for, in the order of ExportRequest's fields.
SELECT
    export_id, `view`, `format`, lot_ids, start_ms, end_ms, `columns`, purpose, kind, subject_id, account_id, client_id, `rows`,
    toUnixTimestamp64Milli(note_time) AS note_ms
FROM store.export_requests FINAL
