-- For how long vehicles stood on each Beijing day, by visits with entry and exit, up to 92 days long; divided by the open berths of the group's lots and the length of a day it is their utilisation.
SELECT
    transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
    day_ms,
    sum(least(left_ms, day_ms + 86400000) - greatest(came_ms, day_ms)) AS parked_ms
FROM
(
    SELECT
        lot_id,
        toUnixTimestamp64Milli(assumeNotNull(entry_time)) AS came_ms,
        toUnixTimestamp64Milli(assumeNotNull(exit_time)) AS left_ms,
        arrayJoin(range(
            toUInt64(intDiv(greatest(came_ms, {start:Int64}) + 28800000, 86400000)),
            toUInt64(intDiv(least(left_ms, {end:Int64}) - 1 + 28800000, 86400000) + 1)
        )) * 86400000 - 28800000 AS day_ms
    FROM store.visits FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND anchor_time >= fromUnixTimestamp64Milli({start:Int64} - 92 * 86400000)
        AND anchor_time < fromUnixTimestamp64Milli({end:Int64})
        AND entry_time < fromUnixTimestamp64Milli({end:Int64})
        AND exit_time > fromUnixTimestamp64Milli({start:Int64})
        AND exit_time > entry_time
        AND state = 2
)
GROUP BY group_id, day_ms
ORDER BY group_id, day_ms
LIMIT {limit:UInt32}
