-- How long those stayed who left on these days: visits with entry and exit, up to 92 days long, counted by length and in percentiles.
SELECT
    transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
    count() AS visits,
    sumForEach(arrayMap(
        (least, most) -> toUInt64(stayed_ms >= least AND (most < 0 OR stayed_ms < most)),
        {least:Array(Int64)},
        {most:Array(Int64)}
    )) AS buckets,
    quantilesExact(0.5, 0.9, 0.95)(stayed_ms) AS percentiles,
    max(stayed_ms) AS longest
FROM
(
    SELECT lot_id, assumeNotNull(dwell_ms) AS stayed_ms
    FROM store.visits FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND anchor_time >= fromUnixTimestamp64Milli({start:Int64} - 92 * 86400000)
        AND anchor_time < fromUnixTimestamp64Milli({end:Int64})
        AND exit_time >= fromUnixTimestamp64Milli({start:Int64})
        AND exit_time < fromUnixTimestamp64Milli({end:Int64})
        AND state = 2
        AND dwell_ms IS NOT NULL
)
GROUP BY group_id
ORDER BY group_id
LIMIT {limit:UInt32}
