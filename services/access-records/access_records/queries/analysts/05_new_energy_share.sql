-- Which share of the entries with a plate that was read are new-energy vehicles? Charging berths are planned by it. 新能源车入场占比是多少？
SELECT
    name,
    countIf(plate_kind IN (51, 52) OR plate_colour IN (93, 94)) AS new_energy,
    count() AS entries,
    round(new_energy / entries, 3) AS share
FROM records
INNER JOIN lots USING (lot_id)
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND direction = 'entry' AND notEmpty(plate_key)
GROUP BY name
ORDER BY share DESC, name
