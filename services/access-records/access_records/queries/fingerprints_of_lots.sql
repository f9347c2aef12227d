-- The fingerprints of one day of some lots as their books stand now.
SELECT lot_id, count(), sum(reinterpretAsUInt256(reverse(digest)))
FROM store.records_current FINAL
WHERE lot_id IN splitByChar(' ', {lots:String})
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
GROUP BY lot_id
