-- Where do vehicles come in between 23:00 and 05:00? Residents park there overnight. 夜间（23 时至次日 5 时）入场集中在哪些停车场？
SELECT
    name,
    sumIf(lot_hour.entries, hour >= 23 OR hour < 5) AS at_night,
    sum(lot_hour.entries) AS entries,
    round(at_night / entries, 3) AS share
FROM lot_hour
INNER JOIN lots USING (lot_id)
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY name
HAVING at_night > 0
ORDER BY share DESC, name
