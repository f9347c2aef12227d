-- Every look-up by a plate or of a plate: who, what for, on which case (R7.4); the plate itself only as its pseudonym.
CREATE TABLE IF NOT EXISTS store.look_ups
(
    look_up_id String COMMENT '查询编号',
    method LowCardinality(String) COMMENT '调用的方法',
    account_id String COMMENT '查询账号',
    subject_id String COMMENT '查询方（部门、经营管理者或厂商）',
    plate_key String COMMENT '所查号牌的假名' CODEC(NONE),
    lot_id String COMMENT '所查记录的停车场标识',
    record_id String COMMENT '所查记录编号',
    purpose String COMMENT '查询目的',
    case_number String COMMENT '案件编号',
    start_ms Int64 EPHEMERAL,
    start_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(start_ms, 'Asia/Shanghai') COMMENT '查询时间段起点',
    end_ms Int64 EPHEMERAL,
    end_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(end_ms, 'Asia/Shanghai') COMMENT '查询时间段终点',
    note_ms Int64 EPHEMERAL,
    note_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '查询时间（北京时间）',
    log_shard UInt32 COMMENT '平台日志分片',
    log_offset UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (note_time, look_up_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '号牌查询记录'
