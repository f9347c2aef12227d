-- The current rows of first reports that were never revised, of one month of acceptance and between two places of each shard of the log.
-- What was revised is computed from all its reports together, and not here.
INSERT INTO {shadow} ({columns})
SELECT {columns}
FROM store.record_revisions
WHERE _partition_id = {month:String} AND revision = 0
    AND log_offset > {after:Array(UInt64)}[log_shard + 1] AND log_offset <= {until:Array(UInt64)}[log_shard + 1]
    AND (lot_id, record_id) NOT IN (SELECT lot_id, record_id FROM store.record_revisions WHERE revision > 0)
