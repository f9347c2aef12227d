-- The digests of all first reports under some ids, in the order they came: more than one when an id was used again long after, for other facts.
-- The ids as in reports_of_records.
SELECT lot_id, record_id, digest
FROM store.record_revisions
WHERE lot_id IN splitByChar(' ', {lots:String}) AND record_id IN splitByChar(' ', {ids:String}) AND revision = 0
ORDER BY log_offset
