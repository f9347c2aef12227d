-- The records as analysts read them: current, without the plate; plate_key joins one vehicle's records without naming it.
CREATE OR REPLACE VIEW parkmesh.records DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    record_id,
    direction,
    event_time,
    lower(hex(plate_key)) AS plate_key,
    plate_masked,
    plate_colour,
    plate_kind,
    plate_state,
    vehicle_class,
    gate_id,
    lane_id,
    berth_id,
    device_id,
    visit_id,
    parking_type,
    release_method,
    free_spaces,
    confidence_permille,
    resend,
    accept_time,
    delay_ms,
    vendor_id,
    warnings
FROM store.records_current FINAL
