-- The fingerprint of each day that the vendor told last, so that anybody sees which books agree: of two the later one stays.
CREATE TABLE IF NOT EXISTS store.comparisons
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    day_ms Int64 EPHEMERAL,
    day DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(day_ms, 'Asia/Shanghai') COMMENT '所属日起点（北京时间）',
    vendor_count Int32 COMMENT '厂商记录数',
    vendor_sum FixedString(32) COMMENT '厂商摘要之和（模 2^256）' CODEC(NONE),
    platform_count Int32 COMMENT '平台记录数',
    platform_sum FixedString(32) COMMENT '平台摘要之和（模 2^256）' CODEC(NONE),
    book_offset UInt64 COMMENT '核对所依据的记录日志位置',
    vendor_id LowCardinality(String) COMMENT '核对方',
    note_ms Int64 EPHEMERAL,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '核对时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, day)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '整日指纹核对'
