-- The records of a lot that hold, by event time and id, behind a place in that order.
SELECT {columns}
FROM store.records_current FINAL
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND (toUnixTimestamp64Milli(event_time), record_id) > ({after_ms:Int64}, {after_id:String})
    AND ({direction:Int8} = 0 OR toInt8(direction) = {direction:Int8})
ORDER BY event_time, record_id
LIMIT {limit:UInt32}
