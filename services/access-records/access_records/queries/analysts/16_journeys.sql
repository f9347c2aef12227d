-- From which lot to which do vehicles drive within two hours? Such lots stand in for each other. 车辆两小时内从哪个停车场驶往哪个停车场？
SELECT origin.name AS origin, destination.name AS destination, count() AS journeys
FROM
(
    SELECT
        lot_id,
        direction,
        event_time,
        lagInFrame(lot_id) OVER vehicle AS before_lot_id,
        lagInFrame(direction) OVER vehicle AS before_direction,
        lagInFrame(event_time) OVER vehicle AS before_time
    FROM records
    WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND notEmpty(plate_key)
    WINDOW vehicle AS (PARTITION BY plate_key ORDER BY event_time, record_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) AS seen
INNER JOIN lots AS origin ON origin.lot_id = seen.before_lot_id
INNER JOIN lots AS destination ON destination.lot_id = seen.lot_id
WHERE seen.direction = 'entry' AND before_direction = 'exit' AND before_lot_id != seen.lot_id
    AND seen.event_time <= before_time + INTERVAL 2 HOUR
GROUP BY origin, destination
ORDER BY journeys DESC, origin, destination
