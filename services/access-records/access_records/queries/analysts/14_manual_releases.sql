-- Why are barriers opened by hand, and where? 人工放行的原因有哪些，发生在何处？
SELECT name, release_reason, count() AS releases
FROM records
INNER JOIN lots USING (lot_id)
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND release_method = 2
GROUP BY name, release_reason
ORDER BY releases DESC, name, release_reason
