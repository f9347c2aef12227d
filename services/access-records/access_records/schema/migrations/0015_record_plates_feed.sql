-- Feeds record_plates: the same row again replaces itself, so that an insert that is sent twice changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS store.record_plates_feed TO store.record_plates AS
SELECT toFixedString(seen.plate_key, 16) AS plate_key, lot_id, seen.event_time AS event_time, record_id, seen.accept_time AS accept_time
FROM store.records_current AS seen
WHERE notEmpty(seen.plate_key) AND seen.gone = 0
