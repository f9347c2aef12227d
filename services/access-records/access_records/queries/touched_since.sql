-- The places of a lot's window that something after a position of the log has touched, tombstones included: what held there before is to be computed from the revisions.
SELECT DISTINCT toUnixTimestamp64Milli(event_time) AS event_ms, record_id
FROM store.records_current
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset > {until:UInt64}
ORDER BY record_id, event_ms
LIMIT {limit:UInt32}
