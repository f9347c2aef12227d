-- How long do vehicles stay? Entries and exits are joined by the vendor's visit number. 停放时长如何分布？
SELECT
    multiIf(minutes < 30, '0-30 min', minutes < 120, '30 min-2 h', minutes < 480, '2-8 h', minutes < 1440, '8-24 h', '24 h+') AS dwell,
    count() AS visits,
    round(visits / sum(visits) OVER (), 3) AS share
FROM
(
    SELECT
        lot_id,
        visit_id,
        dateDiff('minute', minIf(event_time, direction = 'entry'), maxIf(event_time, direction = 'exit')) AS minutes
    FROM records
    WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND visit_id NOT IN ('', '***')
    GROUP BY lot_id, visit_id
    HAVING countIf(direction = 'entry') > 0 AND countIf(direction = 'exit') > 0
)
GROUP BY dwell
ORDER BY min(minutes)
