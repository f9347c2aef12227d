-- Feeds the position as well.
ALTER TABLE store.record_visits_feed
    MODIFY QUERY SELECT lot_id, visit_id, named.event_time AS event_time, record_id, named.accept_time AS accept_time, named.log_offset AS log_offset
    FROM store.records_current AS named
    WHERE notEmpty(named.visit_id) AND named.gone = 0
