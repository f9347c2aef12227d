-- Which vehicles were seen in most lots? They are known by their pseudonym alone. 哪些车辆（以假名表示）出现在最多的停车场？
SELECT plate_key, any(plate_masked) AS plate, uniqExact(lot_id) AS lots, count() AS records
FROM records
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND notEmpty(plate_key)
GROUP BY plate_key
ORDER BY lots DESC, records DESC, plate_key
LIMIT 20
