-- The records that were ever revised and of which a report or revision lies between two places of each shard of the log.
SELECT DISTINCT lot_id, record_id
FROM store.record_revisions
WHERE (lot_id, record_id) IN (SELECT lot_id, record_id FROM store.record_revisions WHERE revision > 0)
    AND log_offset > {after:Array(UInt64)}[log_shard + 1] AND log_offset <= {until:Array(UInt64)}[log_shard + 1]
