-- Who asked for which rows to leave the platform, and what for (R7.4).
CREATE TABLE IF NOT EXISTS store.export_requests
(
    export_id String COMMENT '导出标识',
    view UInt8 COMMENT '视图：1 出入场记录，2 停车场，3 停车记录',
    format UInt8 COMMENT '文件格式：1 CSV，2 XLSX，3 Parquet',
    lot_ids Array(String) COMMENT '停车场标识，空表示申请方可导出的全部',
    start_ms Int64 COMMENT '时段起始（1970 年起毫秒数），无日期的视图为 0',
    end_ms Int64 COMMENT '时段结束（不含）',
    columns Array(LowCardinality(String)) COMMENT '列',
    purpose String COMMENT '用途',
    kind LowCardinality(String) COMMENT '申请方类别',
    subject_id String COMMENT '申请方',
    account_id String COMMENT '申请账号',
    client_id String COMMENT '申请凭证',
    rows Int64 COMMENT '申请时的行数',
    note_ms Int64 EPHEMERAL 0,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '申请时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY export_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '导出申请'
