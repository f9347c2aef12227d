-- Entries and exits of each Beijing day; divided by the open berths of the group's lots they are its turnover.
SELECT
    transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
    intDiv(toUnixTimestamp64Milli(event_time) + 28800000, 86400000) * 86400000 - 28800000 AS day_ms,
    countIf(direction = 'entry') AS entries,
    countIf(direction = 'exit') AS exits
FROM store.records_current FINAL
WHERE lot_id IN splitByChar(' ', {lots:String})
    AND event_time >= fromUnixTimestamp64Milli({start:Int64})
    AND event_time < fromUnixTimestamp64Milli({end:Int64})
GROUP BY group_id, day_ms
ORDER BY group_id, day_ms
LIMIT {limit:UInt32}
