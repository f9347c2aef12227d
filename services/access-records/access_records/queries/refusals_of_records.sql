-- Refusals under some ids of a lot: of records with one of the digests, and the last of each revision.
SELECT
    record_id,
    argMax(digest, log_offset),
    revision,
    argMax(reason, log_offset),
    argMax(field, log_offset),
    toUnixTimestamp64Milli(argMax(note_time, log_offset))
FROM store.rejections
WHERE
    lot_id = {lot:String}
    AND record_id IN splitByChar(' ', {ids:String})
    AND (revision > 0 OR lower(hex(digest)) IN splitByChar(' ', {digests:String}))
GROUP BY record_id, revision, if(revision > 0, '', lower(hex(digest)))
