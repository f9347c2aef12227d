-- How many vehicles of each class come and go in each hour of the day? R5.2b asks for exactly this. 各车型每小时进出多少辆？（R5.2b）
SELECT hour, vehicle_class, sum(entries) AS entries, sum(exits) AS exits
FROM lot_hour
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY hour, vehicle_class
ORDER BY hour, vehicle_class
