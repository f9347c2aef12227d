-- The fingerprint of each bucket of a lot's window, of the rows that nothing after a position of the log has touched. Its sum wraps modulo 2^256.
SELECT
    intDiv(toUnixTimestamp64Milli(event_time) - {start:Int64}, {length:Int64}) AS bucket,
    count(),
    sum(reinterpretAsUInt256(reverse(digest)))
FROM store.records_current FINAL
WHERE lot_id = {lot:String}
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
    AND log_offset <= {until:UInt64}
GROUP BY bucket
