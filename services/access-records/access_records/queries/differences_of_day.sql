-- The records in which the books of a lot's day differed: how at first and since when, and the vendor's digest as last told.
SELECT
    record_id,
    argMin(kind, log_offset),
    toUnixTimestamp64Milli(argMin(note_time, log_offset)),
    argMax(vendor_digest, log_offset)
FROM store.differences
WHERE lot_id = {lot:String} AND day = fromUnixTimestamp64Milli({day:Int64})
GROUP BY record_id
ORDER BY record_id
LIMIT {limit:UInt32}
