-- What was refused and why, without plates: reconciliation says "refused because" instead of "missing", and analysts see each vendor's faults.
CREATE TABLE IF NOT EXISTS store.rejections
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    record_id String COMMENT '记录编号（上报值）',
    revision UInt32 COMMENT '修订号，首次上报为 0',
    digest FixedString(32) COMMENT '上报内容摘要（SHA-256）' CODEC(NONE),
    reason UInt8 COMMENT '拒收原因编号（ErrorReason）',
    field LowCardinality(String) COMMENT '出错字段',
    vendor_id LowCardinality(String) COMMENT '上报厂商标识',
    event_ms Int64 EPHEMERAL,
    event_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(event_ms, 'Asia/Shanghai') COMMENT '进出时间（上报值）',
    note_ms Int64 EPHEMERAL,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '拒收时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, record_id, revision, digest, reason)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '拒收记录'
