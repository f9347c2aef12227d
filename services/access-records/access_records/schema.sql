CREATE TABLE store.closed_days
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `day_ms` Int64 EPHEMERAL,
    `day` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(day_ms, 'Asia/Shanghai') COMMENT '所属日起点（北京时间）',
    `vendor_count` Int32 COMMENT '厂商记录数',
    `vendor_sum` FixedString(32) COMMENT '厂商摘要之和（模 2^256）' CODEC(NONE),
    `platform_count` Int32 COMMENT '平台记录数',
    `platform_sum` FixedString(32) COMMENT '平台摘要之和（模 2^256）' CODEC(NONE),
    `book_offset` UInt64 COMMENT '核对所依据的记录日志位置',
    `text` String COMMENT '报告的规范文本',
    `key_id` LowCardinality(String) COMMENT '签名密钥标识',
    `signature` FixedString(64) COMMENT '签名（Ed25519）' CODEC(NONE),
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '结账时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, day)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '已结账的日期';

CREATE TABLE store.comparisons
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `day_ms` Int64 EPHEMERAL,
    `day` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(day_ms, 'Asia/Shanghai') COMMENT '所属日起点（北京时间）',
    `vendor_count` Int32 COMMENT '厂商记录数',
    `vendor_sum` FixedString(32) COMMENT '厂商摘要之和（模 2^256）' CODEC(NONE),
    `platform_count` Int32 COMMENT '平台记录数',
    `platform_sum` FixedString(32) COMMENT '平台摘要之和（模 2^256）' CODEC(NONE),
    `book_offset` UInt64 COMMENT '核对所依据的记录日志位置',
    `vendor_id` LowCardinality(String) COMMENT '核对方',
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '核对时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, day)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '整日指纹核对';

CREATE TABLE store.differences
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `day_ms` Int64 EPHEMERAL,
    `day` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(day_ms, 'Asia/Shanghai') COMMENT '所属日起点（北京时间）',
    `record_id` String COMMENT '记录编号',
    `kind` UInt8 COMMENT '差异类别：1 平台缺少，2 平台多出，3 内容不同，4 平台已作废，5 平台已拒收',
    `vendor_digest` FixedString(32) COMMENT '厂商摘要，厂商无此记录时全零' CODEC(NONE),
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '发现时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, day, record_id, kind, vendor_digest)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '核对发现的差异';

CREATE TABLE store.look_ups
(
    `look_up_id` String COMMENT '查询编号',
    `method` LowCardinality(String) COMMENT '调用的方法',
    `account_id` String COMMENT '查询账号',
    `subject_id` String COMMENT '查询方（部门、经营管理者或厂商）',
    `plate_key` String COMMENT '所查号牌的假名' CODEC(NONE),
    `lot_id` String COMMENT '所查记录的停车场标识',
    `record_id` String COMMENT '所查记录编号',
    `purpose` String COMMENT '查询目的',
    `case_number` String COMMENT '案件编号',
    `start_ms` Int64 EPHEMERAL,
    `start_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(start_ms, 'Asia/Shanghai') COMMENT '查询时间段起点',
    `end_ms` Int64 EPHEMERAL,
    `end_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(end_ms, 'Asia/Shanghai') COMMENT '查询时间段终点',
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '查询时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (note_time, look_up_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '号牌查询记录';

CREATE TABLE store.lot_free
(
    `lot_id` String COMMENT '停车场标识',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '上报所依据的进出时间',
    `free_spaces` Int32 COMMENT '空余泊位数'
)
ENGINE = ReplacingMergeTree(event_time)
ORDER BY lot_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '最近上报的空余泊位数';

CREATE MATERIALIZED VIEW store.lot_free_feed TO store.lot_free
(
    `lot_id` LowCardinality(String),
    `event_time` DateTime64(3, 'Asia/Shanghai'),
    `free_spaces` Int32
)
AS SELECT
    lot_id,
    max(reported.event_time) AS event_time,
    argMax(assumeNotNull(reported.free_spaces), reported.event_time) AS free_spaces
FROM store.records_current AS reported
WHERE reported.free_spaces IS NOT NULL
GROUP BY lot_id;

CREATE TABLE store.lots
(
    `lot_id` String COMMENT '停车场标识',
    `registration_number` String COMMENT '停车场登记编号',
    `name` String COMMENT '停车场名称',
    `type` UInt8 COMMENT '停车场类型：1 公共，2 专用，3 临时，4 道路泊位',
    `division_code` LowCardinality(String) COMMENT '行政区划代码（GB/T 2260）',
    `division_name` LowCardinality(String) COMMENT '行政区划名称',
    `address` String COMMENT '地址',
    `latitude` Nullable(Float64) COMMENT '纬度',
    `longitude` Nullable(Float64) COMMENT '经度',
    `coordinate_system` UInt8 COMMENT '坐标系：1 GCJ-02，2 WGS-84，3 BD-09，4 CGCS2000',
    `open_berths` Int32 COMMENT '对社会开放泊位数',
    `state` UInt8 COMMENT '状态：1 待审核，2 启用，3 暂停，4 关闭',
    `version` UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY lot_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '停车场';

CREATE TABLE store.positions
(
    `projection` LowCardinality(String) COMMENT '投影名称',
    `shard` UInt16 COMMENT '日志分片',
    `epoch` String COMMENT '日志世代',
    `offset` UInt64 COMMENT '已处理到的日志位置'
)
ENGINE = ReplacingMergeTree(offset)
ORDER BY (projection, shard)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '投影进度';

CREATE TABLE store.record_plates
(
    `plate_key` FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（北京时间）',
    `record_id` String COMMENT '记录编号，车场内唯一',
    `accept_time` DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）',
    `log_offset` UInt64 COMMENT '日志位置'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (plate_key, lot_id, event_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '号牌假名索引';

CREATE MATERIALIZED VIEW store.record_plates_feed TO store.record_plates
(
    `plate_key` FixedString(16),
    `lot_id` LowCardinality(String),
    `event_time` DateTime64(3, 'Asia/Shanghai'),
    `record_id` String,
    `accept_time` DateTime64(3, 'Asia/Shanghai'),
    `log_offset` UInt64
)
AS SELECT
    toFixedString(seen.plate_key, 16) AS plate_key,
    lot_id,
    seen.event_time AS event_time,
    record_id,
    seen.accept_time AS accept_time,
    seen.log_offset AS log_offset
FROM store.records_current AS seen
WHERE notEmpty(seen.plate_key) AND (seen.gone = 0);

CREATE TABLE store.record_revisions
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `record_id` String COMMENT '记录编号，车场内唯一',
    `revision` UInt32 DEFAULT 0 COMMENT '修订号，首次上报为 0',
    `revision_kind` UInt8 COMMENT '修订类别：0 首次上报，1 纠正，2 作废，3 恢复',
    `revised_fields` Array(LowCardinality(String)) COMMENT '纠正的字段',
    `reason` UInt8 COMMENT '修订原因编号',
    `reason_text` String COMMENT '修订原因说明',
    `author` String COMMENT '修订人',
    `evidence_ids` Array(String) COMMENT '证据编号',
    `made_ms` Int64 EPHEMERAL 0,
    `made_time` Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(made_ms = 0, NULL, fromUnixTimestamp64Milli(made_ms, 'Asia/Shanghai')) COMMENT '修订作出时间（北京时间），首次上报为空',
    `direction` Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向',
    `event_ms` Int64 EPHEMERAL,
    `event_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(event_ms, 'Asia/Shanghai') COMMENT '进出时间（北京时间）' CODEC(Delta(8), LZ4),
    `plate_number` String COMMENT '号牌号码（原文）',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    `plate_kind` UInt8 COMMENT '号牌种类（GA 24.7）',
    `plate_state` UInt8 COMMENT '号牌识别状态：1 已识别，2 未识别，3 无牌',
    `vehicle_class` UInt8 COMMENT '车辆类型',
    `gate_id` LowCardinality(String) COMMENT '出入口编号',
    `lane_id` LowCardinality(String) COMMENT '车道编号',
    `berth_id` String COMMENT '泊位编号',
    `device_id` LowCardinality(String) COMMENT '设备编号',
    `visit_id` String COMMENT '停车流水号，进出场相同',
    `parking_type` UInt8 COMMENT '停车类型',
    `release_method` UInt8 COMMENT '放行方式：1 自动，2 人工',
    `release_reason` String COMMENT '人工放行原因',
    `free_spaces` Nullable(Int32) COMMENT '事件后空余泊位数，未上报为空',
    `image_ids` Array(String) COMMENT '图像编号',
    `confidence_permille` Nullable(Int32) COMMENT '识别置信度（千分比）',
    `resend` Bool COMMENT '是否补传',
    `accept_ms` Int64 EPHEMERAL,
    `accept_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(accept_ms, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）' CODEC(Delta(8), LZ4),
    `delay_ms` Int64 DEFAULT accept_ms - event_ms COMMENT '时延（毫秒），接收时间减进出时间',
    `digest` FixedString(32) COMMENT '事实摘要（SHA-256）' CODEC(NONE),
    `vendor_id` LowCardinality(String) COMMENT '上报厂商标识',
    `account_id` LowCardinality(String) COMMENT '修订提交账号，软件上报为空',
    `plate_normal` String COMMENT '号牌号码（规范形式）',
    `plate_key` String COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `plate_masked` String COMMENT '号牌掩码',
    `warnings` Array(UInt8) COMMENT '数据提示编号',
    `log_shard` UInt32 COMMENT '日志分片',
    `log_offset` UInt64 COMMENT '日志位置' CODEC(Delta(8), LZ4)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(accept_time)
ORDER BY (lot_id, record_id, revision, digest)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '出入场记录的全部修订';

CREATE TABLE store.record_visits
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `visit_id` String COMMENT '停车流水号，进出场相同',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（北京时间）',
    `record_id` String COMMENT '记录编号，车场内唯一',
    `accept_time` DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）',
    `log_offset` UInt64 COMMENT '日志位置'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (lot_id, visit_id, event_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车流水号索引';

CREATE MATERIALIZED VIEW store.record_visits_feed TO store.record_visits
(
    `lot_id` LowCardinality(String),
    `visit_id` String,
    `event_time` DateTime64(3, 'Asia/Shanghai'),
    `record_id` String,
    `accept_time` DateTime64(3, 'Asia/Shanghai'),
    `log_offset` UInt64
)
AS SELECT
    lot_id,
    visit_id,
    named.event_time AS event_time,
    record_id,
    named.accept_time AS accept_time,
    named.log_offset AS log_offset
FROM store.records_current AS named
WHERE notEmpty(named.visit_id) AND (named.gone = 0);

CREATE TABLE store.records_current
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `record_id` String COMMENT '记录编号，车场内唯一',
    `revision` UInt32 DEFAULT 0 COMMENT '修订号，首次上报为 0',
    `direction` Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向',
    `event_ms` Int64 EPHEMERAL,
    `event_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(event_ms, 'Asia/Shanghai') COMMENT '进出时间（北京时间）' CODEC(Delta(8), LZ4),
    `plate_number` String COMMENT '号牌号码（原文）',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    `plate_kind` UInt8 COMMENT '号牌种类（GA 24.7）',
    `plate_state` UInt8 COMMENT '号牌识别状态：1 已识别，2 未识别，3 无牌',
    `vehicle_class` UInt8 COMMENT '车辆类型',
    `gate_id` LowCardinality(String) COMMENT '出入口编号',
    `lane_id` LowCardinality(String) COMMENT '车道编号',
    `berth_id` String COMMENT '泊位编号',
    `device_id` LowCardinality(String) COMMENT '设备编号',
    `visit_id` String COMMENT '停车流水号，进出场相同',
    `parking_type` UInt8 COMMENT '停车类型',
    `release_method` UInt8 COMMENT '放行方式：1 自动，2 人工',
    `release_reason` String COMMENT '人工放行原因',
    `free_spaces` Nullable(Int32) COMMENT '事件后空余泊位数，未上报为空',
    `image_ids` Array(String) COMMENT '图像编号',
    `confidence_permille` Nullable(Int32) COMMENT '识别置信度（千分比）',
    `resend` Bool COMMENT '是否补传',
    `accept_ms` Int64 EPHEMERAL,
    `accept_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(accept_ms, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）' CODEC(Delta(8), LZ4),
    `delay_ms` Int64 DEFAULT accept_ms - event_ms COMMENT '时延（毫秒），接收时间减进出时间',
    `revise_ms` Int64 EPHEMERAL 0,
    `revise_time` Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(revise_ms = 0, NULL, fromUnixTimestamp64Milli(revise_ms, 'Asia/Shanghai')) COMMENT '最近修订接收时间（北京时间），未修订为空',
    `digest` FixedString(32) COMMENT '事实摘要（SHA-256）' CODEC(NONE),
    `vendor_id` LowCardinality(String) COMMENT '上报厂商标识',
    `plate_normal` String COMMENT '号牌号码（规范形式）',
    `plate_key` String COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `plate_masked` String COMMENT '号牌掩码',
    `warnings` Array(UInt8) COMMENT '数据提示编号',
    `log_shard` UInt32 COMMENT '日志分片',
    `log_offset` UInt64 COMMENT '日志位置' CODEC(Delta(8), LZ4),
    `gone` UInt8 DEFAULT 0 COMMENT '是否已移走（作废或改时）'
)
ENGINE = ReplacingMergeTree(log_offset, gone)
PARTITION BY toYYYYMM(event_time)
ORDER BY (lot_id, event_time, record_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '出入场记录的当前状态';

CREATE TABLE store.rejections
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `record_id` String COMMENT '记录编号（上报值）',
    `revision` UInt32 COMMENT '修订号，首次上报为 0',
    `digest` FixedString(32) COMMENT '上报内容摘要（SHA-256）' CODEC(NONE),
    `reason` UInt8 COMMENT '拒收原因编号（ErrorReason）',
    `field` LowCardinality(String) COMMENT '出错字段',
    `vendor_id` LowCardinality(String) COMMENT '上报厂商标识',
    `event_ms` Int64 EPHEMERAL,
    `event_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(event_ms, 'Asia/Shanghai') COMMENT '进出时间（上报值）',
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '拒收时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (lot_id, record_id, revision, digest, reason)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '拒收记录';

CREATE TABLE store.visit_plates
(
    `plate_key` FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `anchor_time` DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）',
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `record_id` String COMMENT '首条记录编号（入场，缺则出场）'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(anchor_time)
ORDER BY (plate_key, anchor_time, lot_id, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车记录的号牌假名索引';

CREATE MATERIALIZED VIEW store.visit_plates_feed TO store.visit_plates
(
    `plate_key` FixedString(16),
    `anchor_time` DateTime64(3, 'Asia/Shanghai'),
    `lot_id` LowCardinality(String),
    `record_id` String
)
AS SELECT
    toFixedString(arrayJoin(arrayFilter(plate -> notEmpty(plate), [made.plate_key, made.exit_plate_key])), 16) AS plate_key,
    made.anchor_time AS anchor_time,
    lot_id,
    record_id
FROM store.visits AS made
WHERE made.gone = 0;

CREATE TABLE store.visits
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `anchor_ms` Int64 EPHEMERAL,
    `anchor_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(anchor_ms, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）' CODEC(Delta(8), LZ4),
    `record_id` String COMMENT '首条记录编号（入场，缺则出场）',
    `entry_record_id` String COMMENT '入场记录编号，缺则为空',
    `exit_record_id` String COMMENT '出场记录编号，无则为空',
    `entry_ms` Int64 EPHEMERAL 0,
    `entry_time` Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(entry_ms = 0, NULL, fromUnixTimestamp64Milli(entry_ms, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空',
    `exit_ms` Int64 EPHEMERAL 0,
    `exit_time` Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(exit_ms = 0, NULL, fromUnixTimestamp64Milli(exit_ms, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空',
    `entry_gate_id` LowCardinality(String) COMMENT '入口编号',
    `entry_lane_id` LowCardinality(String) COMMENT '入口车道编号',
    `exit_gate_id` LowCardinality(String) COMMENT '出口编号',
    `exit_lane_id` LowCardinality(String) COMMENT '出口车道编号',
    `berth_id` String COMMENT '泊位编号',
    `plate_key` String COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `exit_plate_key` String COMMENT '出场号牌假名，与入场相同则为空',
    `plate_masked` String COMMENT '号牌掩码',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    `vehicle_class` UInt8 COMMENT '车辆类型',
    `parking_type` UInt8 COMMENT '停车类型',
    `visit_id` String COMMENT '停车流水号',
    `other_record_ids` Array(String) COMMENT '重复上报的记录编号',
    `dwell_ms` Nullable(Int64) COMMENT '停车时长（毫秒），进出场不全则为空',
    `state` UInt8 COMMENT '状态：1 在场，2 已离场，3 存疑',
    `reasons` Array(UInt8) COMMENT '存疑原因：1 缺入场，2 缺出场，3 重复，4 进出颠倒，5 号牌未识别，6 无牌车，7 进出场号牌不一致',
    `due_ms` Int64 EPHEMERAL 0,
    `due_time` Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(due_ms = 0, NULL, fromUnixTimestamp64Milli(due_ms, 'Asia/Shanghai')) COMMENT '最迟出场时间（北京时间），不再等待出场则为空',
    `version` UInt64 COMMENT '所依据的日志位置',
    `gone` UInt8 COMMENT '是否已移走'
)
ENGINE = ReplacingMergeTree(version, gone)
PARTITION BY toYYYYMM(anchor_time)
ORDER BY (lot_id, anchor_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车记录（进出场配对）';

CREATE VIEW parkmesh.lot_latest
(
    `lot_id` String,
    `name` String,
    `division_name` LowCardinality(String),
    `open_berths` Int32,
    `free_spaces` Int32,
    `event_time` DateTime64(3, 'Asia/Shanghai'),
    `age_seconds` Int64
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    lots.name AS name,
    lots.division_name AS division_name,
    lots.open_berths AS open_berths,
    free.free_spaces AS free_spaces,
    free.event_time AS event_time,
    dateDiff('second', free.event_time, now64(3, 'Asia/Shanghai')) AS age_seconds
FROM store.lot_free AS free
FINAL
LEFT JOIN
(
    SELECT *
    FROM store.lots
    FINAL
) AS lots USING (lot_id);

CREATE VIEW parkmesh.lots
(
    `lot_id` String,
    `registration_number` String,
    `name` String,
    `type` UInt8,
    `division_code` LowCardinality(String),
    `division_name` LowCardinality(String),
    `address` String,
    `latitude` Nullable(Float64),
    `longitude` Nullable(Float64),
    `coordinate_system` UInt8,
    `open_berths` Int32,
    `state` UInt8
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    registration_number,
    name,
    type,
    division_code,
    division_name,
    address,
    latitude,
    longitude,
    coordinate_system,
    open_berths,
    state
FROM store.lots
FINAL;

CREATE VIEW parkmesh.records
(
    `lot_id` LowCardinality(String),
    `record_id` String,
    `direction` Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2),
    `event_time` DateTime64(3, 'Asia/Shanghai'),
    `plate_key` String,
    `plate_masked` String,
    `plate_colour` UInt8,
    `plate_kind` UInt8,
    `plate_state` UInt8,
    `vehicle_class` UInt8,
    `gate_id` LowCardinality(String),
    `lane_id` LowCardinality(String),
    `berth_id` String,
    `device_id` LowCardinality(String),
    `visit_id` String,
    `parking_type` UInt8,
    `release_method` UInt8,
    `free_spaces` Nullable(Int32),
    `confidence_permille` Nullable(Int32),
    `resend` Bool,
    `accept_time` DateTime64(3, 'Asia/Shanghai'),
    `delay_ms` Int64,
    `vendor_id` LowCardinality(String),
    `warnings` Array(UInt8)
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    record_id,
    direction,
    event_time,
    lower(hex(plate_key)) AS plate_key,
    plate_masked,
    plate_colour,
    plate_kind,
    plate_state,
    vehicle_class,
    gate_id,
    lane_id,
    berth_id,
    device_id,
    visit_id,
    parking_type,
    release_method,
    free_spaces,
    confidence_permille,
    resend,
    accept_time,
    delay_ms,
    vendor_id,
    warnings
FROM store.records_current
FINAL;

CREATE VIEW parkmesh.visits
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | Lot',
    `record_id` String COMMENT '首条记录编号（入场，缺则出场） | First record of the visit: its entry, else its exit',
    `anchor_time` DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间） | When that record happened, Beijing time',
    `entry_record_id` String COMMENT '入场记录编号，缺则为空 | Record of the entry, empty when it is missing',
    `exit_record_id` String COMMENT '出场记录编号，无则为空 | Record of the exit, empty when there is none',
    `entry_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空 | When it came in, Beijing time',
    `exit_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空 | When it went out, Beijing time',
    `dwell_seconds` Nullable(Float64) COMMENT '停车时长（秒），进出场不全则为空 | Time parked in seconds, null unless entry and exit are known',
    `state` Enum8('open' = 1, 'closed' = 2, 'doubtful' = 3) COMMENT '状态：在场、已离场、存疑 | Open, closed or doubtful',
    `reasons` Array(Enum8('missing_entry' = 1, 'missing_exit' = 2, 'doubled' = 3, 'crossed' = 4, 'plate_unread' = 5, 'unlicensed' = 6, 'plate_differs' = 7)) COMMENT '存疑原因 | Why it is doubtful',
    `overstayed` Bool COMMENT '在场超过最长停车时间，视为缺出场 | Open for longer than any visit lasts, taken as a missing exit',
    `entry_gate_id` LowCardinality(String) COMMENT '入口编号 | Gate of the entry',
    `entry_lane_id` LowCardinality(String) COMMENT '入口车道编号 | Lane of the entry',
    `exit_gate_id` LowCardinality(String) COMMENT '出口编号 | Gate of the exit',
    `exit_lane_id` LowCardinality(String) COMMENT '出口车道编号 | Lane of the exit',
    `berth_id` String COMMENT '泊位编号 | Berth, for on-street parking',
    `plate_key` String COMMENT '号牌假名（十六进制） | Pseudonym of the plate, hexadecimal',
    `plate_masked` String COMMENT '号牌掩码 | Plate with its middle hidden',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7） | Colour of the plate',
    `vehicle_class` UInt8 COMMENT '车辆类型 | Class of the vehicle',
    `parking_type` UInt8 COMMENT '停车类型 | Terms on which it parked',
    `visit_id` String COMMENT '停车流水号 | Visit id given by the vendor'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    record_id,
    anchor_time,
    entry_record_id,
    exit_record_id,
    entry_time,
    exit_time,
    dwell_ms / 1000 AS dwell_seconds,
    if(late, 3, made.state) AS state,
    if(late, arraySort(arrayConcat([2], made.reasons)), made.reasons) AS reasons,
    late AS overstayed,
    entry_gate_id,
    entry_lane_id,
    exit_gate_id,
    exit_lane_id,
    berth_id,
    lower(hex(made.plate_key)) AS plate_key,
    plate_masked,
    plate_colour,
    vehicle_class,
    parking_type,
    visit_id
FROM
(
    SELECT
        *,
        ifNull(due_time < now64(3), 0) AS late
    FROM store.visits
    FINAL
) AS made;
