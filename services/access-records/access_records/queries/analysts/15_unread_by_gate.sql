-- At which gates are plates not read? A camera stands badly there, or is dirty. 哪些出入口的号牌未识别率高？
SELECT
    lots.name AS lot,
    gates.name AS gate,
    countIf(plate_state = 2) AS unread,
    count() AS records,
    round(unread / records, 3) AS share
FROM records
INNER JOIN lots USING (lot_id)
LEFT JOIN gates USING (lot_id, gate_id)
WHERE toDate(event_time) >= {from:Date} AND toDate(event_time) < {to:Date} AND notEmpty(gate_id)
GROUP BY lot, gate
ORDER BY share DESC, lot, gate
