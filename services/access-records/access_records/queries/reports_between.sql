-- What was reported between two positions of a shard of the log, in its order: for who comes too late for the log itself.
SELECT {columns}
FROM store.record_revisions
WHERE log_shard = {shard:UInt32} AND log_offset > {after:UInt64} AND log_offset <= {until:UInt64}
ORDER BY log_offset
LIMIT 1 BY log_offset
