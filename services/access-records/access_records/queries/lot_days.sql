-- Of every lot and Beijing day of a month how many records hold and the sum of their digests, as big-endian numbers modulo 2^256; and the
-- places that changed behind the positions (one offset for each shard of the log, from shard 0 on), which the sums leave out, by lot and id.
-- One statement that reads one snapshot: what changes meanwhile is either in a sum or a place, never both. FINAL hides places that are gone.
SELECT lot_id, '' AS changed_id, toInt64(0) AS changed_ms, toUInt32(0) AS shard, toString(toDate(event_time, 'Asia/Shanghai')) AS day, count() AS records, sum(reinterpretAsUInt256(reverse(digest))) AS total
FROM store.records_current FINAL
WHERE _partition_id = {month:String} AND log_offset <= {until:Array(UInt64)}[log_shard + 1]
GROUP BY lot_id, day
UNION ALL
SELECT lot_id, record_id, event_ms, log_shard, '', toUInt64(0), toUInt256(0)
FROM (
    SELECT DISTINCT lot_id, record_id, toUnixTimestamp64Milli(event_time) AS event_ms, log_shard
    FROM store.records_current
    WHERE _partition_id = {month:String} AND log_offset > {until:Array(UInt64)}[log_shard + 1]
    ORDER BY lot_id, record_id
)
