-- Who let an export be made, or refused it: always another person than asked.
CREATE TABLE IF NOT EXISTS store.export_decisions
(
    export_id String COMMENT '导出标识',
    approved Bool COMMENT '是否批准',
    remark String COMMENT '审批意见',
    kind LowCardinality(String) COMMENT '审批方类别',
    subject_id String COMMENT '审批方',
    account_id String COMMENT '审批账号',
    client_id String COMMENT '审批凭证',
    note_ms Int64 EPHEMERAL 0,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '审批时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY export_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '导出审批'
