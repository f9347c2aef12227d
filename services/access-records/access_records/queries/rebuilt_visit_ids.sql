-- Which records of one month have which visit id, as the current rows say.
INSERT INTO {shadow} (lot_id, visit_id, event_time, record_id, accept_time)
SELECT lot_id, visit_id, named.event_time, record_id, named.accept_time
FROM store.records_current AS named FINAL
WHERE _partition_id = {month:String} AND notEmpty(named.visit_id)
