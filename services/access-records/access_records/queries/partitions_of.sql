-- The partitions that a table of the store has rows in.
SELECT DISTINCT partition_id FROM system.parts WHERE database = 'store' AND table = {table:String} AND active ORDER BY partition_id
