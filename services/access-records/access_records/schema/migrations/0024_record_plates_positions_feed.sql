-- Feeds the position as well.
ALTER TABLE store.record_plates_feed
    MODIFY QUERY SELECT toFixedString(seen.plate_key, 16) AS plate_key, lot_id, seen.event_time AS event_time, record_id, seen.accept_time AS accept_time, seen.log_offset AS log_offset
    FROM store.records_current AS seen
    WHERE notEmpty(seen.plate_key) AND seen.gone = 0
