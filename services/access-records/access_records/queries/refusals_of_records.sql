-- The last refusal under each of some ids of a lot.
SELECT
    record_id,
    argMax(digest, log_offset),
    argMax(revision, log_offset),
    argMax(reason, log_offset),
    argMax(field, log_offset),
    toUnixTimestamp64Milli(argMax(note_time, log_offset))
FROM store.rejections
WHERE lot_id = {lot:String} AND record_id IN splitByChar(' ', {ids:String})
GROUP BY record_id
