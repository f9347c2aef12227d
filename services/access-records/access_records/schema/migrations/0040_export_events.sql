-- What became of each export, and every time somebody took a file.
CREATE TABLE IF NOT EXISTS store.export_events
(
    export_id String COMMENT '导出标识',
    event_id String COMMENT '事件标识',
    event UInt8 COMMENT '事件：1 已生成，2 失败，3 已下载',
    failure UInt8 COMMENT '失败原因：1 行数超限，2 已无权导出，3 平台故障',
    rows Int64 COMMENT '文件行数',
    bytes Int64 COMMENT '文件字节数',
    digest String COMMENT '文件摘要（SHA-256）' CODEC(NONE),
    expire_ms Int64 COMMENT '文件保留至（1970 年起毫秒数）',
    as_of_ms Int64 COMMENT '数据截至（1970 年起毫秒数）',
    account_id String COMMENT '下载账号',
    client_id String COMMENT '下载凭证',
    note_ms Int64 EPHEMERAL 0,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '事件时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (export_id, event_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '导出事件'
