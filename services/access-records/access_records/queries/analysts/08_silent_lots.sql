-- Which lots in service sent nothing at all in these days? Full coverage (R6.1) is lost there. 哪些启用的停车场在此期间没有任何数据？（R6.1）
SELECT lots.name AS name, operators.name AS operator, division_name
FROM lots
LEFT ANTI JOIN (SELECT lot_id FROM lot_day WHERE day >= {from:Date} AND day < {to:Date} AND records > 0) AS heard USING (lot_id)
LEFT JOIN operators USING (operator_id)
WHERE state = 2 AND in_scope
ORDER BY division_name, name
