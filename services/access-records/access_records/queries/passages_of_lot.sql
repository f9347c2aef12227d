-- The records of a lot that hold, from an instant on and before another, last revised at or before a position of the log.
SELECT {columns}
FROM store.records_current FINAL
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset <= {until:UInt64}
