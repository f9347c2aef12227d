-- What an administrator asked to be made anew, drained from the journal; the history writer carries it out.
CREATE TABLE IF NOT EXISTS store.rebuild_requests
(
    rebuild_id String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：0 全部，1 当前状态，2 号牌索引，3 停车流水',
    check_only Bool COMMENT '是否仅比对',
    account_id String COMMENT '申请账号',
    note_ms Int64 EPHEMERAL,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '申请时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (note_time, rebuild_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '重建请求'
