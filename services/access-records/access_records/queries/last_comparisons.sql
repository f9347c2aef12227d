-- The fingerprint of a day that was last told for each of some lots.
SELECT
    lot_id,
    argMax(vendor_count, log_offset),
    argMax(vendor_sum, log_offset),
    toUnixTimestamp64Milli(argMax(note_time, log_offset))
FROM store.comparisons
WHERE lot_id IN splitByChar(' ', {lots:String}) AND day = fromUnixTimestamp64Milli({day:Int64})
GROUP BY lot_id
