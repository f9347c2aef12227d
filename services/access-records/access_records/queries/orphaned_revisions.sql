-- Records that were revised and whose first report has not come, up to a position of the log: their revisions are applied when it does.
SELECT DISTINCT lot_id, record_id
FROM store.record_revisions
WHERE revision > 0 AND log_offset <= {until:UInt64} AND (lot_id, record_id) NOT IN (
    SELECT lot_id, record_id
    FROM store.record_revisions
    WHERE revision = 0 AND log_offset <= {until:UInt64}
        AND (lot_id, record_id) IN (SELECT lot_id, record_id FROM store.record_revisions WHERE revision > 0)
)
