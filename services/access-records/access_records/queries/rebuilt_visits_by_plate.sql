-- The visits of one year by their plates, from a table of visits that was made anew.
INSERT INTO {shadow} (plate_key, seen_time, lot_id, seen_record_id, record_id, anchor_time, entry_record_id, exit_record_id, entry_time, exit_time, entry_gate_id, exit_gate_id, berth_id, plate_masked, plate_colour, vehicle_class, parking_type, visit_id, other_record_ids, dwell_ms, state, reasons, due_time, made_time, version)
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
FROM {visits} AS made FINAL
ARRAY JOIN
    [made.plate_key, made.exit_plate_key] AS plate,
    [made.anchor_time, ifNull(made.exit_time, made.anchor_time)] AS at,
    [made.record_id, made.exit_record_id] AS id
WHERE toYear(made.anchor_time) = {year:UInt16} AND notEmpty(plate)
