-- One month of an index as the current rows say: those that have what it looks up.
INSERT INTO {shadow} ({columns})
SELECT {columns}
FROM store.records_current FINAL
WHERE _partition_id = {month:String} AND notEmpty({sought})
