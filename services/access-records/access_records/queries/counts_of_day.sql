-- How many records of a lot's window there are of each direction and class, of the rows that nothing after a position of the log has touched.
SELECT
    toInt8(direction),
    vehicle_class,
    count(),
    countIf(plate_number != ''),
    countIf(release_method = 2)
FROM store.records_current FINAL
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset <= {until:UInt64}
GROUP BY direction, vehicle_class
