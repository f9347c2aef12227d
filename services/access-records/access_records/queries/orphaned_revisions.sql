-- Records that were revised and whose first report has not come: the history writer applies their revisions when it does.
SELECT DISTINCT lot_id, record_id
FROM store.record_revisions
WHERE revision > 0 AND (lot_id, record_id) NOT IN (
    SELECT lot_id, record_id
    FROM store.record_revisions
    WHERE revision = 0 AND (lot_id, record_id) IN (SELECT lot_id, record_id FROM store.record_revisions WHERE revision > 0)
)
