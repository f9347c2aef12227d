-- One of a hundred items was refused.
INSERT INTO store.rejections (lot_id, record_id, digest, reason, field, vendor_id, event_ms, note_ms, log_offset)
SELECT lot_id, record_id, digest, 33, 'plateNumber', vendor_id, event_ms, accept_ms, log_offset
FROM store.bench_rows
WHERE log_offset % 100 = 1
SETTINGS max_partitions_per_insert_block = 0
