-- The closed day of each of some lots, with its signed report. A day is closed once; of a journal that was lost and begun anew the first stays.
SELECT lot_id, text, key_id, signature
FROM store.closed_days
WHERE lot_id IN splitByChar(' ', {lots:String}) AND day = fromUnixTimestamp64Milli({day:Int64})
ORDER BY lot_id, note_time
LIMIT 1 BY lot_id
