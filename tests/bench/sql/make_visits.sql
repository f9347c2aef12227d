-- The visits of the records that were made last, as the projection of visits pairs an entry and its exit.
CREATE OR REPLACE TABLE store.bench_visits ENGINE = Memory AS
WITH
    minIf(event_ms, direction = 'entry') AS entered,
    maxIf(event_ms, direction = 'exit') AS exited
SELECT
    lot_id,
    fromUnixTimestamp64Milli(entered, 'Asia/Shanghai') AS anchor_time,
    anyIf(bench_rows.record_id, direction = 'entry') AS record_id,
    record_id AS entry_record_id,
    anyIf(bench_rows.record_id, direction = 'exit') AS exit_record_id,
    anchor_time AS entry_time,
    fromUnixTimestamp64Milli(exited, 'Asia/Shanghai') AS exit_time,
    anyIf(gate_id, direction = 'entry') AS entry_gate_id,
    anyIf(lane_id, direction = 'entry') AS entry_lane_id,
    anyIf(gate_id, direction = 'exit') AS exit_gate_id,
    anyIf(lane_id, direction = 'exit') AS exit_lane_id,
    any(bench_rows.plate_key) AS plate_key,
    any(bench_rows.plate_masked) AS plate_masked,
    any(bench_rows.plate_colour) AS plate_colour,
    any(bench_rows.vehicle_class) AS vehicle_class,
    any(bench_rows.parking_type) AS parking_type,
    visit_id,
    exited - entered AS dwell_ms,
    if(plate_key = '', 3, 2) AS state,
    if(plate_key = '', [5], []) AS reasons,
    max(log_offset) AS version,
    0 AS gone
FROM store.bench_rows
GROUP BY lot_id, visit_id
