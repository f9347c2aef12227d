-- How often is a berth used in a day (turnover: entries for each open berth and day)? 各停车场泊位周转率（每泊位每日入场次数）是多少？
SELECT
    name,
    open_berths,
    sum(lot_day.entries) AS entries,
    round(entries / open_berths / dateDiff('day', {from:Date}, {to:Date}), 2) AS turnover
FROM lot_day
INNER JOIN lots USING (lot_id)
WHERE day >= {from:Date} AND day < {to:Date} AND open_berths > 0
GROUP BY name, open_berths
ORDER BY turnover DESC, name
