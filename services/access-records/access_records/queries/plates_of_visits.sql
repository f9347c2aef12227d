-- By which plates of which records the visits of a lot are found that begin at or after an instant and before another; a plate may be empty.
SELECT
    toUnixTimestamp64Milli(anchor_time),
    record_id,
    hex(plate_key),
    toUnixTimestamp64Milli(ifNull(exit_time, anchor_time)),
    exit_record_id,
    hex(exit_plate_key)
FROM store.visits FINAL
WHERE lot_id = {lot:String}
    AND anchor_time >= fromUnixTimestamp64Milli({start:Int64})
    AND anchor_time < fromUnixTimestamp64Milli({end:Int64})
