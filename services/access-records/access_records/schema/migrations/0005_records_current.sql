-- The state that holds now, one row for each record: ordered by lot and time, which is how it is read.
-- A revision that moves the time leaves a tombstone (gone) at the old place; the highest log position wins.
CREATE TABLE IF NOT EXISTS store.records_current
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    record_id String COMMENT '记录编号，车场内唯一',
    revision UInt32 DEFAULT 0 COMMENT '修订号，首次上报为 0',
    direction Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向',
    event_ms Int64 EPHEMERAL,
    event_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(event_ms, 'Asia/Shanghai') COMMENT '进出时间（北京时间）' CODEC(Delta, LZ4),
    plate_number String COMMENT '号牌号码（原文）',
    plate_colour UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    plate_kind UInt8 COMMENT '号牌种类（GA 24.7）',
    plate_state UInt8 COMMENT '号牌识别状态：1 已识别，2 未识别，3 无牌',
    vehicle_class UInt8 COMMENT '车辆类型',
    gate_id LowCardinality(String) COMMENT '出入口编号',
    lane_id LowCardinality(String) COMMENT '车道编号',
    berth_id String COMMENT '泊位编号',
    device_id LowCardinality(String) COMMENT '设备编号',
    visit_id String COMMENT '停车流水号，进出场相同',
    parking_type UInt8 COMMENT '停车类型',
    release_method UInt8 COMMENT '放行方式：1 自动，2 人工',
    release_reason String COMMENT '人工放行原因',
    free_spaces Nullable(Int32) COMMENT '事件后空余泊位数，未上报为空',
    image_ids Array(String) COMMENT '图像编号',
    confidence_permille Nullable(Int32) COMMENT '识别置信度（千分比）',
    resend Bool COMMENT '是否补传',
    accept_ms Int64 EPHEMERAL,
    accept_time DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(accept_ms, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）' CODEC(Delta, LZ4),
    delay_ms Int64 DEFAULT accept_ms - event_ms COMMENT '时延（毫秒），接收时间减进出时间',
    digest FixedString(32) COMMENT '事实摘要（SHA-256）' CODEC(NONE),
    vendor_id LowCardinality(String) COMMENT '上报厂商标识',
    plate_normal String COMMENT '号牌号码（规范形式）',
    plate_key String COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    plate_masked String COMMENT '号牌掩码',
    warnings Array(UInt8) COMMENT '数据提示编号',
    log_shard UInt32 COMMENT '日志分片',
    log_offset UInt64 COMMENT '日志位置' CODEC(Delta, LZ4),
    gone UInt8 DEFAULT 0 COMMENT '是否已移走（作废或改时）'
)
ENGINE = ReplacingMergeTree(log_offset, gone)
PARTITION BY toYYYYMM(event_time)
ORDER BY (lot_id, event_time, record_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '出入场记录的当前状态'
