-- In which hour is each lot busiest? Guidance and staff are needed then. 各停车场的高峰小时是几点？
SELECT name, hour, movements
FROM
(
    SELECT lot_id, hour, sum(entries + exits) AS movements
    FROM lot_hour
    WHERE day >= {from:Date} AND day < {to:Date}
    GROUP BY lot_id, hour
    ORDER BY movements DESC, hour
    LIMIT 1 BY lot_id
) AS peak
INNER JOIN lots USING (lot_id)
ORDER BY movements DESC, name
