-- The records in which the books of a day differed, as comparisons found them: what a report counts as found and repaired.
CREATE TABLE IF NOT EXISTS store.differences
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    day_ms Int64 EPHEMERAL,
    day DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(day_ms, 'Asia/Shanghai') COMMENT '所属日起点（北京时间）',
    record_id String COMMENT '记录编号',
    kind UInt8 COMMENT '差异类别：1 平台缺少，2 平台多出，3 内容不同，4 平台已作废，5 平台已拒收',
    vendor_digest FixedString(32) COMMENT '厂商摘要，厂商无此记录时全零' CODEC(NONE),
    note_ms Int64 EPHEMERAL,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '发现时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, day, record_id, kind, vendor_digest)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '核对发现的差异'
