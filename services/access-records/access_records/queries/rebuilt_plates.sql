-- Where vehicles were seen in one month, as the current rows say.
INSERT INTO {shadow} (plate_key, lot_id, event_time, record_id, accept_time)
SELECT toFixedString(seen.plate_key, 16), lot_id, seen.event_time, record_id, seen.accept_time
FROM store.records_current AS seen FINAL
WHERE _partition_id = {month:String} AND notEmpty(seen.plate_key)
