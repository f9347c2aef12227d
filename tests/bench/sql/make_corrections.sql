-- One of a hundred records was corrected two hours later: their revisions, to be added to the tables' own rows.
CREATE OR REPLACE TABLE store.bench_corrections ENGINE = Memory AS
SELECT
    lot_id,
    record_id,
    1 AS revision,
    1 AS revision_kind,
    ['vehicle_class'] AS revised_fields,
    6 AS reason,
    0 AS event_ms,
    accept_ms + 7200000 AS made_ms,
    accept_ms + 7200000 AS accept_ms,
    SHA256(record_id) AS digest,
    vendor_id,
    vehicle_class,
    log_offset + 1000000000 AS log_offset
FROM store.bench_rows
WHERE log_offset % 100 = 0
