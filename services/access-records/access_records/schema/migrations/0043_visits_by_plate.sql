-- The visits once more, by the pseudonyms of their vehicles, so that a vehicle's history is one read: hints that are looked up again in visits cost as many reads as there are visits, each in a part of its own.
-- A row stands at the record that has the plate: the entry, and the exit when its plate is another one. What becomes of the record alone decides about the row, so that the table is exact by itself: a record that gives its plate to no visit any more leaves a withdrawal (gone). By year, since a vehicle is seen in few places of many months; compact parts, since all columns of few rows are read together.
CREATE TABLE IF NOT EXISTS store.visits_by_plate
(
    plate_key FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    seen_ms Int64 EPHEMERAL,
    seen_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(seen_ms, 'Asia/Shanghai') COMMENT '识得该号牌的记录的进出时间（北京时间）',
    lot_id LowCardinality(String) COMMENT '停车场标识',
    seen_record_id String COMMENT '识得该号牌的记录编号',
    record_id String COMMENT '首条记录编号（入场，缺则出场）',
    anchor_time DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）',
    entry_record_id String COMMENT '入场记录编号，缺则为空',
    exit_record_id String COMMENT '出场记录编号，无则为空',
    entry_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空',
    exit_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空',
    entry_gate_id LowCardinality(String) COMMENT '入口编号',
    exit_gate_id LowCardinality(String) COMMENT '出口编号',
    berth_id String COMMENT '泊位编号',
    plate_masked String COMMENT '号牌掩码',
    plate_colour UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    vehicle_class UInt8 COMMENT '车辆类型',
    parking_type UInt8 COMMENT '停车类型',
    visit_id String COMMENT '停车流水号',
    other_record_ids Array(String) COMMENT '重复上报的记录编号',
    dwell_ms Nullable(Int64) COMMENT '停车时长（毫秒），进出场不全则为空',
    state UInt8 COMMENT '状态：1 在场，2 已离场，3 存疑',
    reasons Array(UInt8) COMMENT '存疑原因：1 缺入场，2 缺出场，3 重复，4 进出颠倒，5 号牌未识别，6 无牌车，7 进出场号牌不一致',
    due_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '最迟出场时间（北京时间），不再等待出场则为空',
    made_time DateTime64(3, 'Asia/Shanghai') DEFAULT now64(3, 'Asia/Shanghai') COMMENT '末条记录的接收时间（北京时间），保留期限由此起算',
    version UInt64 COMMENT '所依据的日志位置',
    gone UInt8 COMMENT '是否已撤回'
)
ENGINE = ReplacingMergeTree(version, gone)
PARTITION BY toYear(seen_time)
ORDER BY (plate_key, seen_time, lot_id, seen_record_id)
SETTINGS index_granularity = 1024, min_bytes_for_wide_part = 1099511627776, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '按号牌假名排列的停车记录'
