-- Which records some vendors gave some visit ids, in a window, up to a position of the log; hints, to be looked up in records_current.
-- An id that hundreds of records share names no visit, and is cut short.
SELECT lot_id, toUnixTimestamp64Milli(event_time), record_id
FROM store.record_visits
WHERE lot_id IN splitByChar(' ', {lots:String})
    AND visit_id IN splitByChar(' ', {ids:String})
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset <= {until:UInt64}
ORDER BY event_time DESC
LIMIT 512 BY lot_id, visit_id
