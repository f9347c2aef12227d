-- Where some vehicles were seen in some lots, in a window, up to a position of the log; hints, to be looked up in records_current.
SELECT lot_id, toUnixTimestamp64Milli(event_time), record_id
FROM store.record_plates
WHERE plate_key IN (SELECT toFixedString(unhex(arrayJoin(splitByChar(' ', {plates:String}))), 16))
    AND lot_id IN splitByChar(' ', {lots:String})
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset <= {until:UInt64}
