-- Of every lot and Beijing day of a month how many records hold and the sum of their digests, as big-endian numbers modulo 2^256; and by
-- themselves, with id and instant, the places that changed behind the positions (one offset for each shard of the log, from shard 0 on).
-- One reading of the table: what changes meanwhile is in one of the two or in the other, never in both. FINAL would hide
-- the places that are gone, so that the rows of a place are put together here, in the order of the key.
SELECT
    lot_id,
    if(last > {until:Array(UInt64)}[shard + 1], record_id, '') AS changed_id,
    if(last > {until:Array(UInt64)}[shard + 1], toUnixTimestamp64Milli(event_time), 0) AS changed_ms,
    any(shard) AS log_shard,
    toString(toDate(event_time, 'Asia/Shanghai')) AS day,
    count(),
    sum(reinterpretAsUInt256(reverse(row.2)))
FROM (
    SELECT lot_id, event_time, record_id, any(log_shard) AS shard, max(log_offset) AS last, argMax((gone, digest), log_offset) AS row
    FROM store.records_current
    WHERE _partition_id = {month:String}
    GROUP BY lot_id, event_time, record_id
)
WHERE row.1 = 0 OR last > {until:Array(UInt64)}[shard + 1]
GROUP BY lot_id, changed_id, changed_ms, day
ORDER BY lot_id, changed_id
