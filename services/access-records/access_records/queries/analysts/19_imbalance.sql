-- In which lots do entries and exits differ most? One direction is not recorded there, or not sent. 哪些停车场进出数量相差最大？
SELECT
    name,
    sum(lot_day.entries) AS entries,
    sum(lot_day.exits) AS exits,
    toInt64(entries) - toInt64(exits) AS difference
FROM lot_day
INNER JOIN lots USING (lot_id)
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY name
ORDER BY abs(difference) DESC, name
