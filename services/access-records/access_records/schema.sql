CREATE TABLE store.calendar
(
    `day` Date COMMENT '日期（北京时间）',
    `year` UInt16 COMMENT '年',
    `month` UInt8 COMMENT '月（1–12）',
    `iso_year` UInt16 COMMENT '周所属年（ISO 8601）',
    `iso_week` UInt8 COMMENT '周次（ISO 8601）',
    `weekday` UInt8 COMMENT '星期（1 星期一至 7 星期日）',
    `is_weekend` Bool COMMENT '是否星期六或星期日',
    `is_workday` Bool COMMENT '是否工作日（已计入节假日安排）',
    `day_type` LowCardinality(String) COMMENT '日期类型：workday 工作日，weekend 周末，holiday 节假日，makeup 调休上班',
    `holiday` LowCardinality(String) COMMENT '节假日名称；调休上班日为其所调的节假日',
    `planned` Bool COMMENT '该年的节假日安排是否已知',
    `plan_year` UInt16 COMMENT '写入时已知安排的最后一年'
)
ENGINE = ReplacingMergeTree(plan_year)
ORDER BY day
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '日历';

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

CREATE TABLE store.codes
(
    `kind` LowCardinality(String) COMMENT '代码类别',
    `code` UInt16 COMMENT '代码',
    `name` String COMMENT '名称'
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, code)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '代码';

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
TTL note_time + toIntervalDay(1096)
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
TTL note_time + toIntervalDay(1096)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '核对发现的差异';

CREATE TABLE store.export_decisions
(
    `export_id` String COMMENT '导出标识',
    `approved` Bool COMMENT '是否批准',
    `remark` String COMMENT '审批意见',
    `kind` LowCardinality(String) COMMENT '审批方类别',
    `subject_id` String COMMENT '审批方',
    `account_id` String COMMENT '审批账号',
    `client_id` String COMMENT '审批凭证',
    `note_ms` Int64 EPHEMERAL 0,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '审批时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY export_id
TTL note_time + toIntervalDay(1127)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '导出审批';

CREATE TABLE store.export_events
(
    `export_id` String COMMENT '导出标识',
    `event_id` String COMMENT '事件标识',
    `event` UInt8 COMMENT '事件：1 已生成，2 失败，3 已下载',
    `failure` UInt8 COMMENT '失败原因：1 行数超限，2 已无权导出，3 平台故障',
    `rows` Int64 COMMENT '文件行数',
    `bytes` Int64 COMMENT '文件字节数',
    `digest` String COMMENT '文件摘要（SHA-256）' CODEC(NONE),
    `expire_ms` Int64 COMMENT '文件保留至（1970 年起毫秒数）',
    `as_of_ms` Int64 COMMENT '数据截至（1970 年起毫秒数）',
    `account_id` String COMMENT '下载账号',
    `client_id` String COMMENT '下载凭证',
    `note_ms` Int64 EPHEMERAL 0,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '事件时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (export_id, event_id)
TTL note_time + toIntervalDay(1127)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '导出事件';

CREATE TABLE store.export_requests
(
    `export_id` String COMMENT '导出标识',
    `view` UInt8 COMMENT '视图：1 出入场记录，2 停车场，3 停车记录',
    `format` UInt8 COMMENT '文件格式：1 CSV，2 XLSX，3 Parquet',
    `lot_ids` Array(String) COMMENT '停车场标识，空表示申请方可导出的全部',
    `start_ms` Int64 COMMENT '时段起始（1970 年起毫秒数），无日期的视图为 0',
    `end_ms` Int64 COMMENT '时段结束（不含）',
    `columns` Array(LowCardinality(String)) COMMENT '列',
    `purpose` String COMMENT '用途',
    `kind` LowCardinality(String) COMMENT '申请方类别',
    `subject_id` String COMMENT '申请方',
    `account_id` String COMMENT '申请账号',
    `client_id` String COMMENT '申请凭证',
    `rows` Int64 COMMENT '申请时的行数',
    `note_ms` Int64 EPHEMERAL 0,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '申请时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY export_id
TTL note_time + toIntervalDay(1096)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '导出申请';

CREATE TABLE store.gates
(
    `lot_id` String COMMENT '停车场标识',
    `gate_id` String COMMENT '出入口编号',
    `name` String COMMENT '出入口名称',
    `state` UInt8 COMMENT '使用状态：1 在用，2 停用，3 拆除',
    `lane_ids` Array(String) COMMENT '车道编号',
    `lane_directions` Array(UInt8) COMMENT '各车道方向：1 入口，2 出口，3 双向',
    `registry_epoch` LowCardinality(String) COMMENT '登记数据世代',
    `registry_revision` UInt64 COMMENT '登记数据版本',
    `version` UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (lot_id, gate_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '出入口';

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
TTL note_time + toIntervalDay(1096)
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
    `operator_id` String COMMENT '经营管理者标识',
    `in_scope` Bool DEFAULT true COMMENT '是否属于管理范围',
    `management_area` LowCardinality(String) COMMENT '管理区域',
    `registry_epoch` LowCardinality(String) COMMENT '登记数据世代',
    `registry_revision` UInt64 COMMENT '登记数据版本',
    `version` UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY lot_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '停车场';

CREATE TABLE store.operators
(
    `operator_id` String COMMENT '经营管理者标识',
    `name` String COMMENT '名称',
    `registry_epoch` LowCardinality(String) COMMENT '登记数据世代',
    `registry_revision` UInt64 COMMENT '登记数据版本',
    `version` UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY operator_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '经营管理者';

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

CREATE TABLE store.rebuild_differences
(
    `rebuild_id` String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：1 当前状态，2 号牌索引，3 停车流水',
    `lot_id` String COMMENT '停车场标识',
    `month` UInt32 COMMENT '月份',
    `held_rows` UInt64 COMMENT '原有行数',
    `rebuilt_rows` UInt64 COMMENT '应有行数',
    `record_ids` Array(String) COMMENT '部分记录编号'
)
ENGINE = ReplacingMergeTree
ORDER BY (rebuild_id, projection, lot_id, month)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '重建差异';

CREATE TABLE store.rebuild_requests
(
    `rebuild_id` String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：0 全部，1 当前状态，2 号牌索引，3 停车流水',
    `check_only` Bool COMMENT '是否仅比对',
    `account_id` String COMMENT '申请账号',
    `note_ms` Int64 EPHEMERAL,
    `note_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(note_ms, 'Asia/Shanghai') COMMENT '申请时间（北京时间）',
    `log_shard` UInt32 COMMENT '平台日志分片',
    `log_offset` UInt64 COMMENT '平台日志位置'
)
ENGINE = ReplacingMergeTree(log_offset)
PARTITION BY toYYYYMM(note_time)
ORDER BY (note_time, rebuild_id)
TTL note_time + toIntervalDay(1096)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '重建请求';

CREATE TABLE store.rebuilds
(
    `rebuild_id` String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：1 当前状态，2 号牌索引，3 停车流水',
    `state` UInt8 COMMENT '状态：2 进行中，3 一致，4 不一致，5 已修复，6 失败',
    `compared_rows` UInt64 COMMENT '比对行数',
    `different_lot_months` UInt32 COMMENT '差异场月数',
    `note_time` DateTime64(3, 'Asia/Shanghai') COMMENT '记录时间（北京时间）'
)
ENGINE = ReplacingMergeTree(note_time)
ORDER BY (rebuild_id, projection)
TTL note_time + toIntervalDay(1127)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480, index_granularity = 8192
COMMENT '重建结果';

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
TTL accept_time + toIntervalDay(1096)
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
TTL accept_time + toIntervalDay(1096)
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
TTL accept_time + toIntervalDay(1096)
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
TTL accept_time + toIntervalDay(if(gone = 1, 1127, 1096))
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
TTL note_time + toIntervalDay(366)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '拒收记录';

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
    `made_time` DateTime64(3, 'Asia/Shanghai') DEFAULT if(made_ms = 0, now64(3, 'Asia/Shanghai'), fromUnixTimestamp64Milli(made_ms, 'Asia/Shanghai')) COMMENT '末条记录的接收时间（北京时间），保留期限由此起算',
    `version` UInt64 COMMENT '所依据的日志位置',
    `gone` UInt8 COMMENT '是否已移走',
    `made_ms` Int64 EPHEMERAL 0
)
ENGINE = ReplacingMergeTree(version, gone)
PARTITION BY toYYYYMM(anchor_time)
ORDER BY (lot_id, anchor_time, record_id)
TTL made_time + toIntervalDay(if(gone = 1, 1127, 1096))
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车记录（进出场配对）';

CREATE TABLE store.visits_by_plate
(
    `plate_key` FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    `seen_ms` Int64 EPHEMERAL,
    `seen_time` DateTime64(3, 'Asia/Shanghai') DEFAULT fromUnixTimestamp64Milli(seen_ms, 'Asia/Shanghai') COMMENT '识得该号牌的记录的进出时间（北京时间）',
    `lot_id` LowCardinality(String) COMMENT '停车场标识',
    `seen_record_id` String COMMENT '识得该号牌的记录编号',
    `record_id` String COMMENT '首条记录编号（入场，缺则出场）',
    `anchor_time` DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）',
    `entry_record_id` String COMMENT '入场记录编号，缺则为空',
    `exit_record_id` String COMMENT '出场记录编号，无则为空',
    `entry_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空',
    `exit_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空',
    `entry_gate_id` LowCardinality(String) COMMENT '入口编号',
    `exit_gate_id` LowCardinality(String) COMMENT '出口编号',
    `berth_id` String COMMENT '泊位编号',
    `plate_masked` String COMMENT '号牌掩码',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7）',
    `vehicle_class` UInt8 COMMENT '车辆类型',
    `parking_type` UInt8 COMMENT '停车类型',
    `visit_id` String COMMENT '停车流水号',
    `other_record_ids` Array(String) COMMENT '重复上报的记录编号',
    `dwell_ms` Nullable(Int64) COMMENT '停车时长（毫秒），进出场不全则为空',
    `state` UInt8 COMMENT '状态：1 在场，2 已离场，3 存疑',
    `reasons` Array(UInt8) COMMENT '存疑原因：1 缺入场，2 缺出场，3 重复，4 进出颠倒，5 号牌未识别，6 无牌车，7 进出场号牌不一致',
    `due_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '最迟出场时间（北京时间），不再等待出场则为空',
    `made_time` DateTime64(3, 'Asia/Shanghai') DEFAULT now64(3, 'Asia/Shanghai') COMMENT '末条记录的接收时间（北京时间），保留期限由此起算',
    `version` UInt64 COMMENT '所依据的日志位置',
    `gone` UInt8 COMMENT '是否已撤回'
)
ENGINE = ReplacingMergeTree(version, gone)
PARTITION BY toYear(seen_time)
ORDER BY (plate_key, seen_time, lot_id, seen_record_id)
TTL made_time + toIntervalDay(if(gone = 1, 1127, 1096))
SETTINGS index_granularity = 1024, min_bytes_for_wide_part = 1099511627776, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '按号牌假名排列的停车记录';

CREATE MATERIALIZED VIEW store.visits_by_plate_feed TO store.visits_by_plate
(
    `plate_key` FixedString(16),
    `seen_time` DateTime64(3, 'Asia/Shanghai'),
    `lot_id` LowCardinality(String),
    `seen_record_id` String,
    `record_id` String,
    `anchor_time` DateTime64(3, 'Asia/Shanghai'),
    `entry_record_id` String,
    `exit_record_id` String,
    `entry_time` Nullable(DateTime64(3, 'Asia/Shanghai')),
    `exit_time` Nullable(DateTime64(3, 'Asia/Shanghai')),
    `entry_gate_id` LowCardinality(String),
    `exit_gate_id` LowCardinality(String),
    `berth_id` String,
    `plate_masked` String,
    `plate_colour` UInt8,
    `vehicle_class` UInt8,
    `parking_type` UInt8,
    `visit_id` String,
    `other_record_ids` Array(String),
    `dwell_ms` Nullable(Int64),
    `state` UInt8,
    `reasons` Array(UInt8),
    `due_time` Nullable(DateTime64(3, 'Asia/Shanghai')),
    `made_time` DateTime64(3, 'Asia/Shanghai'),
    `version` UInt64
)
AS SELECT
    toFixedString(plate, 16) AS plate_key,
    at AS seen_time,
    made.lot_id AS lot_id,
    id AS seen_record_id,
    made.record_id AS record_id,
    made.anchor_time AS anchor_time,
    made.entry_record_id AS entry_record_id,
    made.exit_record_id AS exit_record_id,
    made.entry_time AS entry_time,
    made.exit_time AS exit_time,
    made.entry_gate_id AS entry_gate_id,
    made.exit_gate_id AS exit_gate_id,
    made.berth_id AS berth_id,
    made.plate_masked AS plate_masked,
    made.plate_colour AS plate_colour,
    made.vehicle_class AS vehicle_class,
    made.parking_type AS parking_type,
    made.visit_id AS visit_id,
    made.other_record_ids AS other_record_ids,
    made.dwell_ms AS dwell_ms,
    made.state AS state,
    made.reasons AS reasons,
    made.due_time AS due_time,
    made.made_time AS made_time,
    made.version AS version
FROM store.visits AS made
ARRAY JOIN
    [made.plate_key, made.exit_plate_key] AS plate,
    [made.anchor_time, ifNull(made.exit_time, made.anchor_time)] AS at,
    [made.record_id, made.exit_record_id] AS id
WHERE (made.gone = 0) AND notEmpty(plate);

CREATE VIEW parkmesh.calendar
(
    `day` Date COMMENT '日期（北京时间） | The Beijing day',
    `year` UInt16 COMMENT '年 | Year',
    `month` UInt8 COMMENT '月（1–12） | Month, 1 to 12',
    `iso_year` UInt16 COMMENT '周所属年（ISO 8601） | Year that the week belongs to, by ISO 8601',
    `iso_week` UInt8 COMMENT '周次（ISO 8601） | Week by ISO 8601',
    `weekday` UInt8 COMMENT '星期（1 星期一至 7 星期日） | Weekday, 1 Monday to 7 Sunday (Weekday)',
    `is_weekend` Bool COMMENT '是否星期六或星期日 | Whether it is a Saturday or Sunday',
    `is_workday` Bool COMMENT '是否工作日（已计入节假日安排） | Whether people work, holidays and make-up workdays taken into account',
    `day_type` LowCardinality(String) COMMENT '日期类型：workday 工作日，weekend 周末，holiday 节假日，makeup 调休上班 | workday, weekend, holiday, or makeup for a weekend day worked in exchange',
    `holiday` LowCardinality(String) COMMENT '节假日名称；调休上班日为其所调的节假日 | Name of the holiday; of a make-up workday the holiday that it makes up for',
    `planned` Bool COMMENT '该年的节假日安排是否已知；未知时只分工作日与周末 | Whether the plan of that year is known; without it there are only workdays and weekends'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    day,
    year,
    month,
    iso_year,
    iso_week,
    weekday,
    is_weekend,
    is_workday,
    day_type,
    holiday,
    planned
FROM store.calendar
FINAL;

CREATE VIEW parkmesh.codes
(
    `kind` LowCardinality(String) COMMENT '代码类别 | Which codes, as the descriptions of columns name them',
    `code` UInt16 COMMENT '代码 | The number',
    `name` String COMMENT '名称 | Its name; the codes below say what it means'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    kind,
    code,
    name
FROM store.codes
FINAL;

CREATE VIEW parkmesh.gates
(
    `lot_id` String COMMENT '停车场标识 | The lot',
    `gate_id` String COMMENT '出入口编号 | The gate, within the lot',
    `name` String COMMENT '出入口名称 | Name by the rule of A6',
    `state` UInt8 COMMENT '使用状态 | Whether it is still there (ServiceState)',
    `lane_ids` Array(String) COMMENT '车道编号 | Its lanes',
    `lane_directions` Array(UInt8) COMMENT '各车道方向，与车道编号同序 | Which way each lane leads, in the order of lane_ids (LaneDirection)'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    gate_id,
    name,
    state,
    lane_ids,
    lane_directions
FROM store.gates
FINAL;

CREATE VIEW parkmesh.lot_day
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | The lot',
    `day` Date COMMENT '日期（北京时间） | The Beijing day of the event',
    `records` UInt64 COMMENT '有效记录数 | Records that hold',
    `entries` UInt64 COMMENT '入场数 | Entries',
    `exits` UInt64 COMMENT '出场数 | Exits',
    `entries_small` UInt64 COMMENT '小型车入场数 | Entries of small cars',
    `entries_medium` UInt64 COMMENT '中型车入场数 | Entries of medium vehicles',
    `entries_large` UInt64 COMMENT '大型车入场数 | Entries of large vehicles',
    `entries_motorcycle` UInt64 COMMENT '摩托车入场数 | Entries of motorcycles',
    `entries_non_motor` UInt64 COMMENT '非机动车入场数 | Entries of non-motor vehicles',
    `entries_other` UInt64 COMMENT '其他车辆入场数 | Entries of other vehicles',
    `exits_small` UInt64 COMMENT '小型车出场数 | Exits of small cars',
    `exits_medium` UInt64 COMMENT '中型车出场数 | Exits of medium vehicles',
    `exits_large` UInt64 COMMENT '大型车出场数 | Exits of large vehicles',
    `exits_motorcycle` UInt64 COMMENT '摩托车出场数 | Exits of motorcycles',
    `exits_non_motor` UInt64 COMMENT '非机动车出场数 | Exits of non-motor vehicles',
    `exits_other` UInt64 COMMENT '其他车辆出场数 | Exits of other vehicles',
    `plates_read` UInt64 COMMENT '号牌已识别数 | Records whose plate was read',
    `plates_unread` UInt64 COMMENT '号牌未识别数 | Records whose plate could not be read',
    `plates_unlicensed` UInt64 COMMENT '无牌车数 | Records of vehicles without a plate',
    `manual_releases` UInt64 COMMENT '人工放行数 | Barriers opened by a person',
    `without_images` UInt64 COMMENT '无图像记录数 | Records that name no picture',
    `live` UInt64 COMMENT '实时上报数（非补传） | Records sent as they happened, not resent',
    `delayed_over_5s` UInt64 COMMENT '实时上报中时延超过 5 秒的数量 | Of the live ones those that took more than five seconds',
    `resent` UInt64 COMMENT '补传数 | Records sent again after an outage',
    `corrected` UInt64 COMMENT '其中经修订的有效记录数 | Records of this day that hold after a revision',
    `corrections` UInt64 COMMENT '当日接收的纠正数 | Corrections accepted on this day',
    `voids` UInt64 COMMENT '当日接收的作废数 | Voids accepted on this day',
    `reinstatements` UInt64 COMMENT '当日接收的恢复数 | Reinstatements accepted on this day'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    day,
    sum(entry + leaving) AS records,
    sum(entry) AS entries,
    sum(leaving) AS exits,
    sumIf(entry, vehicle_class = 1) AS entries_small,
    sumIf(entry, vehicle_class = 2) AS entries_medium,
    sumIf(entry, vehicle_class = 3) AS entries_large,
    sumIf(entry, vehicle_class = 4) AS entries_motorcycle,
    sumIf(entry, vehicle_class = 5) AS entries_non_motor,
    sumIf(entry, vehicle_class = 9) AS entries_other,
    sumIf(leaving, vehicle_class = 1) AS exits_small,
    sumIf(leaving, vehicle_class = 2) AS exits_medium,
    sumIf(leaving, vehicle_class = 3) AS exits_large,
    sumIf(leaving, vehicle_class = 4) AS exits_motorcycle,
    sumIf(leaving, vehicle_class = 5) AS exits_non_motor,
    sumIf(leaving, vehicle_class = 9) AS exits_other,
    sum(plate_read) AS plates_read,
    sum(plate_unread) AS plates_unread,
    sum(plate_unlicensed) AS plates_unlicensed,
    sum(by_hand) AS manual_releases,
    sum(without_image) AS without_images,
    sum(is_live) AS live,
    sum(is_delayed) AS delayed_over_5s,
    sum(is_resent) AS resent,
    sum(is_corrected) AS corrected,
    sum(correction) AS corrections,
    sum(void) AS voids,
    sum(reinstatement) AS reinstatements
FROM
(
    SELECT
        lot_id,
        toDate(event_time) AS day,
        vehicle_class,
        countIf(direction = 'entry') AS entry,
        countIf(direction = 'exit') AS leaving,
        countIf(plate_state IN (0, 1)) AS plate_read,
        countIf(plate_state = 2) AS plate_unread,
        countIf(plate_state = 3) AS plate_unlicensed,
        countIf(release_method = 2) AS by_hand,
        countIf(empty(image_ids)) AS without_image,
        countIf(NOT resend) AS is_live,
        countIf((NOT resend) AND (delay_ms > 5000)) AS is_delayed,
        countIf(resend) AS is_resent,
        countIf(revision > 0) AS is_corrected,
        toUInt64(0) AS correction,
        toUInt64(0) AS void,
        toUInt64(0) AS reinstatement
    FROM store.records_current
    FINAL
    GROUP BY
        lot_id,
        day,
        vehicle_class
    UNION ALL
    SELECT
        lot_id,
        toDate(accept_time) AS day,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 1),
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 2),
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 3)
    FROM store.record_revisions
    WHERE revision_kind != 0
    GROUP BY
        lot_id,
        day
)
GROUP BY
    lot_id,
    day
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW parkmesh.lot_hour
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | The lot',
    `day` Date COMMENT '日期（北京时间） | The Beijing day of the event',
    `hour` UInt8 COMMENT '小时（北京时间，0–23） | The hour that begins then, 0 to 23, Beijing time',
    `vehicle_class` UInt8 COMMENT '车辆类型 | Class of the vehicle (VehicleClass)',
    `entries` UInt64 COMMENT '入场数 | Entries',
    `exits` UInt64 COMMENT '出场数 | Exits'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    toDate(event_time) AS day,
    toHour(event_time) AS hour,
    vehicle_class,
    countIf(direction = 'entry') AS entries,
    countIf(direction = 'exit') AS exits
FROM store.records_current
FINAL
GROUP BY
    lot_id,
    day,
    hour,
    vehicle_class;

CREATE VIEW parkmesh.lot_latest
(
    `lot_id` String COMMENT '停车场标识 | The lot',
    `name` String COMMENT '停车场名称 | Name',
    `division_name` LowCardinality(String) COMMENT '行政区划名称 | Name of the division',
    `open_berths` Int32 COMMENT '对社会开放泊位数 | Berths open to the public',
    `free_spaces` Int32 COMMENT '最近上报的空余泊位数 | Free berths as last reported',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '上报所依据的进出时间（北京时间） | The event that they were reported with, Beijing time',
    `age_seconds` Int64 COMMENT '距今秒数 | How long ago that was, in seconds'
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
    `lot_id` String COMMENT '停车场标识 | The lot',
    `registration_number` String COMMENT '停车场登记编号 | Number under which the authority registered it',
    `name` String COMMENT '停车场名称 | Name',
    `type` UInt8 COMMENT '停车场类型 | Type (LotType)',
    `division_code` LowCardinality(String) COMMENT '行政区划代码（GB/T 2260） | Division code by GB/T 2260',
    `division_name` LowCardinality(String) COMMENT '行政区划名称 | Name of the division; empty when not known',
    `address` String COMMENT '地址 | Address',
    `latitude` Nullable(Float64) COMMENT '纬度，未知为空 | Latitude in degrees; NULL when unknown',
    `longitude` Nullable(Float64) COMMENT '经度，未知为空 | Longitude in degrees; NULL when unknown',
    `coordinate_system` UInt8 COMMENT '坐标系 | System of both (CoordinateSystem)',
    `open_berths` Int32 COMMENT '对社会开放泊位数 | Berths open to the public',
    `state` UInt8 COMMENT '状态 | State (LotState)',
    `operator_id` String COMMENT '经营管理者标识，未写明为空 | Who runs it; empty when the registry does not say',
    `in_scope` Bool COMMENT '是否属于管理范围 | Whether the regulation applies to it (R3)',
    `management_area` LowCardinality(String) COMMENT '管理区域 | The area that manages it, where that is no division'
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
    state,
    operator_id,
    in_scope,
    management_area
FROM store.lots
FINAL;

CREATE VIEW parkmesh.operator_day
(
    `operator_id` String COMMENT '经营管理者标识，登记中未写明为空 | Who runs the lots now; empty when the registry does not say',
    `day` Date COMMENT '日期（北京时间） | The Beijing day of the event',
    `lots` UInt64 COMMENT '当日有数据的停车场数 | Lots of which there is anything on this day',
    `records` UInt64 COMMENT '有效记录数 | Records that hold',
    `entries` UInt64 COMMENT '入场数 | Entries',
    `exits` UInt64 COMMENT '出场数 | Exits',
    `plates_read` UInt64 COMMENT '号牌已识别数 | Records whose plate was read',
    `plates_unread` UInt64 COMMENT '号牌未识别数 | Records whose plate could not be read',
    `plates_unlicensed` UInt64 COMMENT '无牌车数 | Records of vehicles without a plate',
    `manual_releases` UInt64 COMMENT '人工放行数 | Barriers opened by a person',
    `without_images` UInt64 COMMENT '无图像记录数 | Records that name no picture',
    `live` UInt64 COMMENT '实时上报数（非补传） | Records sent as they happened, not resent',
    `delayed_over_5s` UInt64 COMMENT '实时上报中时延超过 5 秒的数量 | Of the live ones those that took more than five seconds',
    `resent` UInt64 COMMENT '补传数 | Records sent again after an outage',
    `corrected` UInt64 COMMENT '其中经修订的有效记录数 | Records of this day that hold after a revision',
    `corrections` UInt64 COMMENT '当日接收的纠正数 | Corrections accepted on this day',
    `voids` UInt64 COMMENT '当日接收的作废数 | Voids accepted on this day',
    `reinstatements` UInt64 COMMENT '当日接收的恢复数 | Reinstatements accepted on this day'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lots.operator_id AS operator_id,
    day,
    count() AS lots,
    sum(counted.records) AS records,
    sum(counted.entries) AS entries,
    sum(counted.exits) AS exits,
    sum(counted.plates_read) AS plates_read,
    sum(counted.plates_unread) AS plates_unread,
    sum(counted.plates_unlicensed) AS plates_unlicensed,
    sum(counted.manual_releases) AS manual_releases,
    sum(counted.without_images) AS without_images,
    sum(counted.live) AS live,
    sum(counted.delayed_over_5s) AS delayed_over_5s,
    sum(counted.resent) AS resent,
    sum(counted.corrected) AS corrected,
    sum(counted.corrections) AS corrections,
    sum(counted.voids) AS voids,
    sum(counted.reinstatements) AS reinstatements
FROM parkmesh.lot_day AS counted
LEFT JOIN parkmesh.lots AS lots USING (lot_id)
GROUP BY
    operator_id,
    day;

CREATE VIEW parkmesh.operators
(
    `operator_id` String COMMENT '经营管理者标识 | The operator',
    `name` String COMMENT '名称 | Name as registered'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    operator_id,
    name
FROM store.operators
FINAL;

CREATE VIEW parkmesh.records
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | The lot',
    `record_id` String COMMENT '记录编号，车场内唯一 | The record, unique within its lot',
    `revision` UInt32 COMMENT '最近修订号，从未修订为 0 | Number of its last revision; 0 when it was never revised',
    `direction` Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向 | Which way the vehicle went',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（北京时间） | When it happened, Beijing time',
    `plate_key` String COMMENT '号牌假名（带密钥摘要），无号牌为空 | Keyed pseudonym of the plate; empty without one',
    `plate_masked` String COMMENT '号牌掩码 | The plate with its middle hidden',
    `plate_colour` UInt8 COMMENT '号牌颜色（JT/T 697.7） | Colour of the plate (PlateColour)',
    `plate_kind` UInt8 COMMENT '号牌种类（GA 24.7） | Kind of the plate (PlateKind)',
    `plate_state` UInt8 COMMENT '号牌识别状态 | What is known of the plate (PlateState)',
    `vehicle_class` UInt8 COMMENT '车辆类型 | Class of the vehicle (VehicleClass)',
    `gate_id` LowCardinality(String) COMMENT '出入口编号 | The gate, within the lot',
    `lane_id` LowCardinality(String) COMMENT '车道编号 | The lane, within the gate',
    `berth_id` String COMMENT '泊位编号（路内停车） | The berth, on the street',
    `device_id` LowCardinality(String) COMMENT '设备编号 | The device that saw the vehicle',
    `visit_id` String COMMENT '停车流水号，进出场相同，含号牌时为 *** | The visit as the vendor numbers it, the same on entry and exit; *** where it holds the plate',
    `parking_type` UInt8 COMMENT '停车类型 | On which terms the vehicle parks (ParkingType)',
    `release_method` UInt8 COMMENT '放行方式 | How the barrier came to open (ReleaseMethod)',
    `release_reason` String COMMENT '人工放行原因，可能含号牌时为 *** | Why a person opened it; *** where it may hold a plate',
    `free_spaces` Nullable(Int32) COMMENT '事件后空余泊位数，未上报为空 | Free berths after the event; NULL when not reported',
    `images` UInt64 COMMENT '图像数 | How many pictures the record names',
    `confidence_permille` Nullable(Int32) COMMENT '识别置信度（千分比） | How sure the camera was, in thousandths',
    `resend` Bool COMMENT '是否补传 | Whether it was sent again after an outage',
    `accept_time` DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间） | When the platform accepted it, Beijing time',
    `delay_ms` Int64 COMMENT '时延（毫秒），接收时间减进出时间 | From the event to the acceptance, in milliseconds',
    `revise_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '最近修订接收时间（北京时间），未修订为空 | When its last revision was accepted; NULL without one',
    `vendor_id` LowCardinality(String) COMMENT '上报厂商标识 | Who sent it',
    `warnings` Array(UInt8) COMMENT '数据提示编号 | What was unusual about it (Warning)'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    record_id,
    revision,
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
    if((length(replaceRegexpAll(plate_normal, '[^0-9A-Z]', '')) >= 5) AND (position(replaceRegexpAll(upper(visit_id), '[-_]', ''), replaceRegexpAll(plate_normal, '[^0-9A-Z]', '')) > 0), '***', visit_id) AS visit_id,
    parking_type,
    release_method,
    if(length(replaceRegexpAll(normalizeUTF8NFKC(release_reason), '[^0-9A-Za-z]', '')) < 4, release_reason, '***') AS release_reason,
    free_spaces,
    length(image_ids) AS images,
    confidence_permille,
    resend,
    accept_time,
    delay_ms,
    revise_time,
    vendor_id,
    warnings
FROM store.records_current
FINAL;

CREATE VIEW parkmesh.records_audit
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | The lot',
    `record_id` String COMMENT '记录编号，车场内唯一 | The record, unique within its lot',
    `revision` UInt32 COMMENT '修订号，首次上报为 0 | Number of the revision; 0 for the first report',
    `revision_kind` UInt8 COMMENT '修订类别 | What it does (RevisionKind); 0 for a first report',
    `revised_fields` Array(LowCardinality(String)) COMMENT '纠正的字段 | The facts that a correction corrects',
    `reason` UInt8 COMMENT '修订原因 | Why it was revised (RevisionReason)',
    `reason_text` String COMMENT '修订原因说明，可能含号牌时为 *** | Why, in words; *** where it may hold a plate',
    `made_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '修订作出时间（北京时间），首次上报为空 | When it was decided, Beijing time; NULL for a first report',
    `accept_time` DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间） | When the platform accepted it, Beijing time',
    `conflicting` Bool COMMENT '是否冲突：同号修订已在先，仅保留不生效 | Another one came under this number before it: it is kept and not applied',
    `by_person` Bool COMMENT '是否由人员账号提交 | Whether a person sent it, not software',
    `direction` Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向，未纠正为 unspecified | Which way the vehicle went; unspecified when not corrected',
    `event_time` Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '进出时间（北京时间），未纠正为空 | When it happened; NULL when not corrected',
    `plate_key` String COMMENT '号牌假名（带密钥摘要） | Keyed pseudonym of the plate as stated here',
    `plate_masked` String COMMENT '号牌掩码 | The plate with its middle hidden',
    `plate_state` UInt8 COMMENT '号牌识别状态 | What is known of the plate (PlateState)',
    `vehicle_class` UInt8 COMMENT '车辆类型 | Class of the vehicle (VehicleClass)',
    `gate_id` LowCardinality(String) COMMENT '出入口编号 | The gate',
    `lane_id` LowCardinality(String) COMMENT '车道编号 | The lane',
    `evidence` UInt64 COMMENT '证据数 | How many pictures prove it',
    `vendor_id` LowCardinality(String) COMMENT '上报方标识 | Who sent it: the vendor or the operator'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    record_id,
    revision,
    revision_kind,
    revised_fields,
    reason,
    if(length(replaceRegexpAll(normalizeUTF8NFKC(reason_text), '[^0-9A-Za-z]', '')) < 4, reason_text, '***') AS reason_text,
    made_time,
    accept_time,
    toBool(row_number() OVER (PARTITION BY lot_id, record_id, revision ORDER BY log_offset ASC) > 1) AS conflicting,
    toBool(notEmpty(account_id)) AS by_person,
    direction,
    nullIf(event_time, fromUnixTimestamp64Milli(0, 'Asia/Shanghai')) AS event_time,
    lower(hex(plate_key)) AS plate_key,
    plate_masked,
    plate_state,
    vehicle_class,
    gate_id,
    lane_id,
    length(evidence_ids) AS evidence,
    vendor_id
FROM store.record_revisions
FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE VIEW parkmesh.rejections
(
    `lot_id` LowCardinality(String) COMMENT '停车场标识 | The lot',
    `record_id` String COMMENT '记录编号（上报值） | The record as it was sent',
    `revision` UInt32 COMMENT '修订号，首次上报为 0 | Number of the revision; 0 for a record',
    `reason` LowCardinality(String) COMMENT '拒收原因（docs/errors.md） | Why it was refused, as docs/errors.md names it',
    `field` LowCardinality(String) COMMENT '出错字段 | The field at fault, by its JSON name',
    `vendor_id` LowCardinality(String) COMMENT '上报方标识 | Who sent it',
    `event_time` DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（上报值，北京时间） | When it happened, as it was sent',
    `note_time` DateTime64(3, 'Asia/Shanghai') COMMENT '拒收时间（北京时间） | When it was refused, Beijing time'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    lot_id,
    record_id,
    revision,
    named.name AS reason,
    field,
    vendor_id,
    event_time,
    note_time
FROM store.rejections AS refused
FINAL
LEFT JOIN
(
    SELECT
        code,
        name
    FROM store.codes
    FINAL
    WHERE kind = 'ErrorReason'
) AS named ON named.code = refused.reason;

CREATE VIEW parkmesh.vendor_day
(
    `vendor_id` LowCardinality(String) COMMENT '上报方标识 | Who sent it',
    `day` Date COMMENT '日期（北京时间） | The Beijing day: of the event for records, of the refusal for what was refused',
    `lots` UInt64 COMMENT '有记录的停车场数 | Lots with records of this day',
    `records` UInt64 COMMENT '有效记录数 | Records that hold',
    `live` UInt64 COMMENT '实时上报数（非补传） | Records sent as they happened, not resent',
    `delayed_over_5s` UInt64 COMMENT '实时上报中时延超过 5 秒的数量 | Of the live ones those that took more than five seconds',
    `resent` UInt64 COMMENT '补传数 | Records sent again after an outage',
    `plates_unread` UInt64 COMMENT '号牌未识别数 | Records whose plate could not be read',
    `without_images` UInt64 COMMENT '无图像记录数 | Records that name no picture',
    `warned` UInt64 COMMENT '带提示的记录数 | Records that were accepted with a warning',
    `corrected` UInt64 COMMENT '其中经修订的有效记录数 | Records of this day that hold after a revision',
    `rejections` UInt64 COMMENT '当日拒收数 | Items refused on this day'
)
DEFINER = owner SQL SECURITY DEFINER
AS SELECT
    vendor_id,
    day,
    sum(lot) AS lots,
    sum(reported) AS records,
    sum(is_live) AS live,
    sum(is_delayed) AS delayed_over_5s,
    sum(is_resent) AS resent,
    sum(plate_unread) AS plates_unread,
    sum(without_image) AS without_images,
    sum(is_warned) AS warned,
    sum(is_corrected) AS corrected,
    sum(refused) AS rejections
FROM
(
    SELECT
        vendor_id,
        toDate(event_time) AS day,
        uniqExact(lot_id) AS lot,
        count() AS reported,
        countIf(NOT resend) AS is_live,
        countIf((NOT resend) AND (delay_ms > 5000)) AS is_delayed,
        countIf(resend) AS is_resent,
        countIf(plate_state = 2) AS plate_unread,
        countIf(empty(image_ids)) AS without_image,
        countIf(notEmpty(warnings)) AS is_warned,
        countIf(revision > 0) AS is_corrected,
        toUInt64(0) AS refused
    FROM store.records_current
    FINAL
    GROUP BY
        vendor_id,
        day
    UNION ALL
    SELECT
        vendor_id,
        toDate(note_time) AS day,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        count()
    FROM store.rejections
    FINAL
    GROUP BY
        vendor_id,
        day
)
GROUP BY
    vendor_id,
    day;

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
    `parking_type` UInt8 COMMENT '停车类型 | Terms on which it parked'
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
    lower(hex(if(empty(made.plate_key), made.exit_plate_key, made.plate_key))) AS plate_key,
    plate_masked,
    plate_colour,
    vehicle_class,
    parking_type
FROM
(
    SELECT
        *,
        ifNull(due_time < now64(3), 0) AS late
    FROM store.visits
    FINAL
) AS made;
