-- How many vehicles come in on workdays, at weekends, on holidays and on make-up workdays, on the average day? 工作日、周末、节假日与调休上班日的日均入场量各是多少？
SELECT
    day_type,
    uniqExact(day) AS days,
    sum(lot_day.entries) AS entries,
    round(entries / days, 1) AS entries_per_day
FROM lot_day
INNER JOIN calendar USING (day)
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY day_type
ORDER BY entries_per_day DESC, day_type
