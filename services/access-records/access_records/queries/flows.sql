-- How many entered and left in each window, by direction and class of vehicle: current records, so that a correction moves a figure and a void takes it away.
SELECT
    transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
    intDiv(toUnixTimestamp64Milli(event_time) + 28800000, {step_ms:Int64}) * {step_ms:Int64} - 28800000 AS start_ms,
    toInt8(direction) AS direction,
    vehicle_class,
    count() AS records
FROM store.records_current FINAL
WHERE lot_id IN splitByChar(' ', {lots:String})
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
GROUP BY group_id, start_ms, direction, vehicle_class
ORDER BY group_id, start_ms, direction, vehicle_class
LIMIT {limit:UInt32}
