-- Entry and exit of one vehicle, paired: one row for each visit, at its first record (its entry, else its exit).
-- A record that is no visit's first any more leaves a tombstone (gone); the row made from the furthest log position wins.
CREATE TABLE IF NOT EXISTS store.visits
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    anchor_ms Int64 EPHEMERAL,
    anchor_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(anchor_ms, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）' CODEC(Delta, LZ4),
    record_id String COMMENT '首条记录编号（入场，缺则出场）',
    entry_record_id String COMMENT '入场记录编号，缺则为空',
    exit_record_id String COMMENT '出场记录编号，无则为空',
    entry_ms Int64 EPHEMERAL 0,
    entry_time Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(entry_ms = 0, NULL, fromUnixTimestamp64Milli(entry_ms, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空',
    exit_ms Int64 EPHEMERAL 0,
    exit_time Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(exit_ms = 0, NULL, fromUnixTimestamp64Milli(exit_ms, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空',
    entry_gate_id LowCardinality(String) COMMENT '入口编号',
    entry_lane_id LowCardinality(String) COMMENT '入口车道编号',
    exit_gate_id LowCardinality(String) COMMENT '出口编号',
    exit_lane_id LowCardinality(String) COMMENT '出口车道编号',
    berth_id String COMMENT '泊位编号',
    plate_key String COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    exit_plate_key String COMMENT '出场号牌假名，与入场相同则为空',
    plate_masked String COMMENT '号牌掩码',
    plate_colour UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    vehicle_class UInt8 COMMENT '车辆类型',
    parking_type UInt8 COMMENT '停车类型',
    visit_id String COMMENT '停车流水号',
    other_record_ids Array(String) COMMENT '重复上报的记录编号',
    dwell_ms Nullable(Int64) COMMENT '停车时长（毫秒），进出场不全则为空',
    state UInt8 COMMENT '状态：1 在场，2 已离场，3 存疑',
    reasons Array(UInt8) COMMENT '存疑原因：1 缺入场，2 缺出场，3 重复，4 进出颠倒，5 号牌未识别，6 无牌车，7 进出场号牌不一致',
    due_ms Int64 EPHEMERAL 0,
    due_time Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(due_ms = 0, NULL, fromUnixTimestamp64Milli(due_ms, 'Asia/Shanghai')) COMMENT '最迟出场时间（北京时间），不再等待出场则为空',
    version UInt64 COMMENT '所依据的日志位置',
    gone UInt8 COMMENT '是否已移走'
)
ENGINE = ReplacingMergeTree(version, gone)
PARTITION BY toYYYYMM(anchor_time)
ORDER BY (lot_id, anchor_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车记录（进出场配对）'
