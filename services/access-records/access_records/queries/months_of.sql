-- The months that a table of the store has rows of, as YYYYMM.
SELECT DISTINCT partition_id FROM system.parts WHERE database = 'store' AND table = {table:String} AND active ORDER BY partition_id
