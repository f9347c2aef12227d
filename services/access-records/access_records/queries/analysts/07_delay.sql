-- How late do records arrive, by vendor, and which share takes more than five seconds (A3.1)? What was resent after an outage is told apart. 各厂商上报时延的分位数及超过 5 秒的比例是多少？（A3.1）
SELECT
    vendor_id,
    count() AS live,
    quantileExact(0.5)(delay_ms) AS p50_ms,
    quantileExact(0.95)(delay_ms) AS p95_ms,
    quantileExact(0.99)(delay_ms) AS p99_ms,
    round(countIf(delay_ms > 5000) / live, 3) AS share_over_5s
FROM records
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND NOT resend
GROUP BY vendor_id
ORDER BY share_over_5s DESC, vendor_id
