-- What holds in a lot's window, by id behind an id, of the rows that nothing after a position of the log has touched.
SELECT
    record_id,
    digest,
    toUnixTimestamp64Milli(event_time),
    revision,
    ifNull(toUnixTimestamp64Milli(revise_time), 0)
FROM store.records_current FINAL
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND record_id > {after:String}
    AND log_offset <= {until:UInt64}
ORDER BY record_id, event_time
LIMIT {limit:UInt32}
