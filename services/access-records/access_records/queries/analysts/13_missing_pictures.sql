-- Which lots send records without pictures (R5.2c)? 哪些停车场的记录缺少图像？（R5.2c）
SELECT
    name,
    sum(lot_day.without_images) AS without_images,
    sum(lot_day.records) AS records,
    round(without_images / records, 3) AS share
FROM lot_day
INNER JOIN lots USING (lot_id)
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY name
HAVING without_images > 0
ORDER BY share DESC, name
