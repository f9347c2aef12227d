-- What do vendors send wrong? The reasons are those of docs/errors.md. 各厂商被拒收的原因有哪些？
SELECT vendor_id, reason, field, count() AS rejections, uniqExact(lot_id) AS lots
FROM rejections
WHERE toDate(note_time) >= {from:Date} AND toDate(note_time) < {to:Date}
GROUP BY vendor_id, reason, field
ORDER BY rejections DESC, vendor_id, reason, field
