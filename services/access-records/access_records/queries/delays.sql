-- Delays from event to acceptance, live and resent apart (A3.1): late is what is not below the limit of the day on which it happened, in milliseconds, -1 where no rule was in force.
SELECT
    transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
    resend,
    count() AS records,
    countIf(limit_ms >= 0 AND delay_ms >= limit_ms) AS late,
    countIf(delay_ms < 0) AS ahead,
    quantilesExact(0.5, 0.9, 0.95, 0.99)(delay_ms) AS percentiles,
    max(delay_ms) AS longest
FROM
(
    SELECT
        lot_id,
        resend,
        delay_ms,
        {limits:Array(Int64)}[1 + intDiv(toUnixTimestamp64Milli(event_time) - {start:Int64}, 86400000)] AS limit_ms
    FROM store.records_current FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND event_time >= fromUnixTimestamp64Milli({start:Int64})
        AND event_time < fromUnixTimestamp64Milli({end:Int64})
)
GROUP BY group_id, resend
ORDER BY group_id, resend
LIMIT {limit:UInt32}
