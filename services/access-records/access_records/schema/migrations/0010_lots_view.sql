-- The lots with their names, divisions and berths.
CREATE OR REPLACE VIEW parkmesh.lots DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    registration_number,
    name,
    type,
    division_code,
    division_name,
    address,
    latitude,
    longitude,
    coordinate_system,
    open_berths,
    state
FROM store.lots FINAL
