-- Feeds lot_free: the latest wins and nothing is added up, so that an insert that is sent twice changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS store.lot_free_feed TO store.lot_free AS
SELECT lot_id, max(reported.event_time) AS event_time, argMax(assumeNotNull(reported.free_spaces), reported.event_time) AS free_spaces
FROM store.records_current AS reported
WHERE reported.free_spaces IS NOT NULL
GROUP BY lot_id
