-- What was corrected or voided in these days, and why? Every figure that moved leads back to these rows. 此期间纠正、作废了哪些记录，原因是什么？
SELECT lot_id, record_id, revision, revision_kind, revised_fields, reason, reason_text, accept_time, conflicting
FROM records_audit
WHERE revision > 0 AND toDate(accept_time) >= {from:Date} AND toDate(accept_time) < {to:Date}
ORDER BY accept_time, lot_id, record_id, revision
