-- Where the records of a lot hold or ever held, from an instant on and before another.
SELECT DISTINCT toUnixTimestamp64Milli(event_time), record_id
FROM store.records_current
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
