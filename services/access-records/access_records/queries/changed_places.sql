-- Where and when records of a month changed behind the positions, by lot, id and instant.
SELECT DISTINCT lot_id, record_id, toUnixTimestamp64Milli(event_time) AS event_ms, log_shard
FROM store.records_current
WHERE _partition_id = {month:String} AND log_offset > {until:Array(UInt64)}[log_shard + 1]
ORDER BY lot_id, record_id
