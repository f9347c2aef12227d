-- Feeds record_visits: the same row again replaces itself, so that an insert that is sent twice changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS store.record_visits_feed TO store.record_visits AS
SELECT lot_id, visit_id, named.event_time AS event_time, record_id, named.accept_time AS accept_time
FROM store.records_current AS named
WHERE notEmpty(named.visit_id) AND named.gone = 0
