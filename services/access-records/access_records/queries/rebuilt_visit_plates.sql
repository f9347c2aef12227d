-- The plates' index of a month's visits after they were made anew: what replaces a partition feeds no view.
INSERT INTO store.visit_plates (plate_key, anchor_time, lot_id, record_id)
SELECT
    toFixedString(arrayJoin(arrayFilter(plate -> notEmpty(plate), [made.plate_key, made.exit_plate_key])), 16),
    made.anchor_time,
    lot_id,
    record_id
FROM store.visits AS made FINAL
WHERE toYYYYMM(made.anchor_time) = {month:UInt32}
