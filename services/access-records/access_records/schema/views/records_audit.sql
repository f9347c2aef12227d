-- Every report and revision, with its reason: what was changed, and what was kept and not applied. The author is left out, since it names a person, and no analysis needs the name (R7.4): the parties see it in ListRevisions. So is the digest, which is computed from the plate and would give it away. A reason in words that holds four letters or digits is not shown: it may be a plate. 全部上报与修订及其原因，含保留而不生效的冲突修订；修订人姓名属个人信息，不予公布（R7.4），各方可用 ListRevisions 查看；摘要由号牌等内容算得，可据以推出号牌，亦不公布；原因说明含四个及以上字母或数字时不显示。
CREATE OR REPLACE VIEW parkmesh.records_audit
(
    lot_id LowCardinality(String) COMMENT '停车场标识 | The lot',
    record_id String COMMENT '记录编号，车场内唯一 | The record, unique within its lot',
    revision UInt32 COMMENT '修订号，首次上报为 0 | Number of the revision; 0 for the first report',
    revision_kind UInt8 COMMENT '修订类别 | What it does (RevisionKind); 0 for a first report',
    revised_fields Array(LowCardinality(String)) COMMENT '纠正的字段 | The facts that a correction corrects',
    reason UInt8 COMMENT '修订原因 | Why it was revised (RevisionReason)',
    reason_text String COMMENT '修订原因说明，可能含号牌时为 *** | Why, in words; *** where it may hold a plate',
    made_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '修订作出时间（北京时间），首次上报为空 | When it was decided, Beijing time; NULL for a first report',
    accept_time DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间） | When the platform accepted it, Beijing time',
    conflicting Bool COMMENT '是否冲突：同号修订已在先，仅保留不生效 | Another one came under this number before it: it is kept and not applied',
    by_person Bool COMMENT '是否由人员账号提交 | Whether a person sent it, not software',
    direction Enum8('unspecified' = 0, 'entry' = 1, 'exit' = 2) COMMENT '进出方向，未纠正为 unspecified | Which way the vehicle went; unspecified when not corrected',
    event_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '进出时间（北京时间），未纠正为空 | When it happened; NULL when not corrected',
    plate_key String COMMENT '号牌假名（带密钥摘要） | Keyed pseudonym of the plate as stated here',
    plate_masked String COMMENT '号牌掩码 | The plate with its middle hidden',
    plate_state UInt8 COMMENT '号牌识别状态 | What is known of the plate (PlateState)',
    vehicle_class UInt8 COMMENT '车辆类型 | Class of the vehicle (VehicleClass)',
    gate_id LowCardinality(String) COMMENT '出入口编号 | The gate',
    lane_id LowCardinality(String) COMMENT '车道编号 | The lane',
    evidence UInt64 COMMENT '证据数 | How many pictures prove it',
    vendor_id LowCardinality(String) COMMENT '上报方标识 | Who sent it: the vendor or the operator'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    record_id,
    revision,
    revision_kind,
    revised_fields,
    reason,
    if(length(replaceRegexpAll(normalizeUTF8NFKC(reason_text), '[^0-9A-Za-z]', '')) < 4, reason_text, '***') AS reason_text,
    made_time,
    accept_time,
    toBool(row_number() OVER (PARTITION BY lot_id, record_id, revision ORDER BY log_offset) > 1) AS conflicting,
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
-- A report has one acceptance for ever, so that no two months hold it, and those that are not asked for are not read.
FROM store.record_revisions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
