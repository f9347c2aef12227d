-- Where there was room when each lot was last heard of, and how long ago that was in seconds.
CREATE OR REPLACE VIEW parkmesh.lot_latest DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    lots.name AS name,
    lots.division_name AS division_name,
    lots.open_berths AS open_berths,
    free.free_spaces AS free_spaces,
    free.event_time AS event_time,
    dateDiff('second', free.event_time, now64(3, 'Asia/Shanghai')) AS age_seconds
FROM store.lot_free AS free FINAL
LEFT JOIN (SELECT * FROM store.lots FINAL) AS lots USING (lot_id)
