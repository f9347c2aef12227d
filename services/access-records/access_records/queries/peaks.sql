-- The hour of each Beijing day with the most movements, entries and exits together; of equal ones the first.
SELECT
    group_id,
    intDiv(hour_ms + 28800000, 86400000) * 86400000 - 28800000 AS day_ms,
    argMax((hour_ms, entries, exits), (entries + exits, -hour_ms)) AS peak,
    peak.1 AS peak_ms,
    peak.2 AS peak_entries,
    peak.3 AS peak_exits
FROM
(
    SELECT
        transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
        intDiv(toUnixTimestamp64Milli(event_time), 3600000) * 3600000 AS hour_ms,
        toInt64(countIf(direction = 'entry')) AS entries,
        toInt64(countIf(direction = 'exit')) AS exits
    FROM store.records_current FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND event_time >= fromUnixTimestamp64Milli({start:Int64})
        AND event_time < fromUnixTimestamp64Milli({end:Int64})
    GROUP BY group_id, hour_ms
)
GROUP BY group_id, day_ms
ORDER BY group_id, day_ms
LIMIT {limit:UInt32}
