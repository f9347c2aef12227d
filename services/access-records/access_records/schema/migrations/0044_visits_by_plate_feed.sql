-- Feeds visits_by_plate: a row for each plate of a visit, of the version of the visit itself.
CREATE MATERIALIZED VIEW IF NOT EXISTS store.visits_by_plate_feed TO store.visits_by_plate AS
SELECT
    toFixedString(plate, 16) AS plate_key,
    at AS seen_time,
    made.lot_id AS lot_id,
    id AS seen_record_id,
    made.record_id AS record_id,
    made.anchor_time AS anchor_time,
    made.entry_record_id AS entry_record_id,
    made.exit_record_id AS exit_record_id,
    made.entry_time AS entry_time,
    made.exit_time AS exit_time,
    made.entry_gate_id AS entry_gate_id,
    made.exit_gate_id AS exit_gate_id,
    made.berth_id AS berth_id,
    made.plate_masked AS plate_masked,
    made.plate_colour AS plate_colour,
    made.vehicle_class AS vehicle_class,
    made.parking_type AS parking_type,
    made.visit_id AS visit_id,
    made.other_record_ids AS other_record_ids,
    made.dwell_ms AS dwell_ms,
    made.state AS state,
    made.reasons AS reasons,
    made.due_time AS due_time,
    made.made_time AS made_time,
    made.version AS version
FROM store.visits AS made
ARRAY JOIN
    [made.plate_key, made.exit_plate_key] AS plate,
    [made.anchor_time, ifNull(made.exit_time, made.anchor_time)] AS at,
    [made.record_id, made.exit_record_id] AS id
WHERE made.gone = 0 AND notEmpty(plate)
