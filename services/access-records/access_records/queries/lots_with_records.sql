-- The lots that ever had a record, from when to when (in epoch milliseconds), and how many.
SELECT lot_id, toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)), count()
FROM store.records_current
GROUP BY lot_id
ORDER BY lot_id
