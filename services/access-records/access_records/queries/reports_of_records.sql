-- All that was ever reported under some ids of some lots, up to a position of the log.
-- Two sets of plain texts: a set of pairs makes ClickHouse build and hash a pair for every row it looks at, three times the work.
-- A lot's id may stand with another lot's record here; who asks picks by the pair. Bound as texts, since binding thousands of array elements would cost more than the look-up; no id holds a blank.
SELECT {columns}
FROM store.record_revisions
WHERE lot_id IN splitByChar(' ', {lots:String}) AND record_id IN splitByChar(' ', {ids:String})
    AND log_offset <= {until:UInt64}
