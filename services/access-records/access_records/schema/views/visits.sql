-- The visits as analysts read them, without plates: one that is open for longer than any stays is shown as doubtful from then on. The vendor's own number stands in records, joined by the record ids. 停车行为（不含号牌）：超过最长停放时间仍未出场的显示为存疑。厂商的停车流水号见 records，按记录编号关联。
CREATE OR REPLACE VIEW parkmesh.visits
(
    lot_id LowCardinality(String) COMMENT '停车场标识 | Lot',
    record_id String COMMENT '首条记录编号（入场，缺则出场） | First record of the visit: its entry, else its exit',
    anchor_time DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间） | When that record happened, Beijing time',
    entry_record_id String COMMENT '入场记录编号，缺则为空 | Record of the entry, empty when it is missing',
    exit_record_id String COMMENT '出场记录编号，无则为空 | Record of the exit, empty when there is none',
    entry_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '入场时间（北京时间），缺则为空 | When it came in, Beijing time',
    exit_time Nullable(DateTime64(3, 'Asia/Shanghai')) COMMENT '出场时间（北京时间），无则为空 | When it went out, Beijing time',
    dwell_seconds Nullable(Float64) COMMENT '停车时长（秒），进出场不全则为空 | Time parked in seconds, null unless entry and exit are known',
    state Enum8('open' = 1, 'closed' = 2, 'doubtful' = 3) COMMENT '状态：在场、已离场、存疑 | Open, closed or doubtful',
    reasons Array(Enum8('missing_entry' = 1, 'missing_exit' = 2, 'doubled' = 3, 'crossed' = 4, 'plate_unread' = 5, 'unlicensed' = 6, 'plate_differs' = 7)) COMMENT '存疑原因 | Why it is doubtful',
    overstayed Bool COMMENT '在场超过最长停车时间，视为缺出场 | Open for longer than any visit lasts, taken as a missing exit',
    entry_gate_id LowCardinality(String) COMMENT '入口编号 | Gate of the entry',
    entry_lane_id LowCardinality(String) COMMENT '入口车道编号 | Lane of the entry',
    exit_gate_id LowCardinality(String) COMMENT '出口编号 | Gate of the exit',
    exit_lane_id LowCardinality(String) COMMENT '出口车道编号 | Lane of the exit',
    berth_id String COMMENT '泊位编号 | Berth, for on-street parking',
    plate_key String COMMENT '号牌假名（十六进制） | Pseudonym of the plate, hexadecimal',
    plate_masked String COMMENT '号牌掩码 | Plate with its middle hidden',
    plate_colour UInt8 COMMENT '号牌颜色（JT/T 697.7） | Colour of the plate',
    vehicle_class UInt8 COMMENT '车辆类型 | Class of the vehicle',
    parking_type UInt8 COMMENT '停车类型 | Terms on which it parked'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
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
FROM (SELECT *, ifNull(due_time < now64(3), 0) AS late FROM store.visits FINAL) AS made
