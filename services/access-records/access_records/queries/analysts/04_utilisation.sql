-- How full is each lot, hour by hour, by the free berths that it reports itself? Lots that report none are left out: absent is not zero. 各停车场各小时的泊位利用率（按其上报的空余泊位数）是多少？
SELECT
    name,
    toHour(event_time) AS hour,
    round(avg(1 - free_spaces / open_berths), 3) AS utilisation,
    count() AS reports
FROM records
INNER JOIN lots USING (lot_id)
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND free_spaces IS NOT NULL AND open_berths > 0
GROUP BY name, hour
ORDER BY name, hour
