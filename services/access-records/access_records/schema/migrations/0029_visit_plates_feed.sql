-- Feeds visit_plates: the same row again replaces itself, so that an insert that is sent twice changes nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS store.visit_plates_feed TO store.visit_plates AS
SELECT
    toFixedString(arrayJoin(arrayFilter(plate -> notEmpty(plate), [made.plate_key, made.exit_plate_key])), 16) AS plate_key,
    made.anchor_time AS anchor_time,
    lot_id,
    record_id
FROM store.visits AS made
WHERE made.gone = 0
