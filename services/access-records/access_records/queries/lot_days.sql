-- Of every lot and Beijing day of a month: how many records hold and the sum of their digests, as big-endian numbers modulo 2^256.
-- Places that changed behind the positions (one offset for each shard of the log, from shard 0 on) are left out: changed_places names them.
SELECT lot_id, toString(toDate(event_time, 'Asia/Shanghai')) AS day, count(), sum(reinterpretAsUInt256(reverse(digest)))
FROM store.records_current FINAL
WHERE _partition_id = {month:String} AND log_offset <= {until:Array(UInt64)}[log_shard + 1]
GROUP BY lot_id, day
