-- How do the entries of each month compare with those of the month before? 各月入场量与上月相比如何？
SELECT
    month,
    entries,
    lagInFrame(toNullable(entries)) OVER (ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS month_before,
    round(entries / month_before - 1, 3) AS growth
FROM
(
    SELECT toStartOfMonth(day) AS month, sum(lot_day.entries) AS entries
    FROM lot_day
    WHERE day >= {from:Date} AND day < {to:Date}
    GROUP BY month
)
ORDER BY month
