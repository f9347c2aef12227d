-- Every decision about an export, in the order of ExportDecision's fields.
SELECT
    export_id, approved, remark, kind, subject_id, account_id, client_id,
    toUnixTimestamp64Milli(note_time) AS note_ms
FROM store.export_decisions FINAL
