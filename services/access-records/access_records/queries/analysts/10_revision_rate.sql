-- How many of a thousand records does each operator correct or void (R5.2f, R5.2g)? Far more than others, or none at all, is worth a look. 各经营管理者每千条记录的纠正、作废数是多少？（R5.2f、R5.2g）
SELECT
    operators.name AS operator,
    sum(operator_day.records) AS records,
    round(1000 * sum(operator_day.corrections) / records, 1) AS corrections,
    round(1000 * sum(operator_day.voids) / records, 1) AS voids
FROM operator_day
LEFT JOIN operators USING (operator_id)
WHERE day >= {from:Date} AND day < {to:Date}
GROUP BY operator
ORDER BY corrections + voids DESC, operator
