-- Where a vehicle was seen, by its pseudonym: the hints, looked up again among the rows that hold.
SELECT lot_id, event_time, record_id
FROM store.records_current FINAL
WHERE (lot_id, event_time, record_id) IN (
    SELECT lot_id, event_time, record_id FROM store.record_plates WHERE plate_key = unhex({plate:String})
) AND plate_key = unhex({plate:String})
ORDER BY event_time
