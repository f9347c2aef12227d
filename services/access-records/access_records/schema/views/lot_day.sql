-- What happened in each lot on each Beijing day. Sums of records that hold now, so that a correction moves them; revisions are counted on the day of their acceptance. Five seconds are the limit of A3.1: another limit gets a column of its own. 各停车场每日（北京时间）统计，按当前有效记录计算，纠正后随之变化；修订数按接收日计。5 秒为 A3.1 的限值。
CREATE OR REPLACE VIEW parkmesh.lot_day
(
    lot_id LowCardinality(String) COMMENT '停车场标识 | The lot',
    day Date COMMENT '日期（北京时间） | The Beijing day of the event',
    records UInt64 COMMENT '有效记录数 | Records that hold',
    entries UInt64 COMMENT '入场数 | Entries',
    exits UInt64 COMMENT '出场数 | Exits',
    entries_small UInt64 COMMENT '小型车入场数 | Entries of small cars',
    entries_medium UInt64 COMMENT '中型车入场数 | Entries of medium vehicles',
    entries_large UInt64 COMMENT '大型车入场数 | Entries of large vehicles',
    entries_motorcycle UInt64 COMMENT '摩托车入场数 | Entries of motorcycles',
    entries_non_motor UInt64 COMMENT '非机动车入场数 | Entries of non-motor vehicles',
    entries_other UInt64 COMMENT '其他车辆入场数 | Entries of other vehicles',
    exits_small UInt64 COMMENT '小型车出场数 | Exits of small cars',
    exits_medium UInt64 COMMENT '中型车出场数 | Exits of medium vehicles',
    exits_large UInt64 COMMENT '大型车出场数 | Exits of large vehicles',
    exits_motorcycle UInt64 COMMENT '摩托车出场数 | Exits of motorcycles',
    exits_non_motor UInt64 COMMENT '非机动车出场数 | Exits of non-motor vehicles',
    exits_other UInt64 COMMENT '其他车辆出场数 | Exits of other vehicles',
    plates_read UInt64 COMMENT '号牌已识别数 | Records whose plate was read',
    plates_unread UInt64 COMMENT '号牌未识别数 | Records whose plate could not be read',
    plates_unlicensed UInt64 COMMENT '无牌车数 | Records of vehicles without a plate',
    manual_releases UInt64 COMMENT '人工放行数 | Barriers opened by a person',
    without_images UInt64 COMMENT '无图像记录数 | Records that name no picture',
    live UInt64 COMMENT '实时上报数（非补传） | Records sent as they happened, not resent',
    delayed_over_5s UInt64 COMMENT '实时上报中时延超过 5 秒的数量 | Of the live ones those that took more than five seconds',
    resent UInt64 COMMENT '补传数 | Records sent again after an outage',
    corrected UInt64 COMMENT '其中经修订的有效记录数 | Records of this day that hold after a revision',
    corrections UInt64 COMMENT '当日接收的纠正数 | Corrections accepted on this day',
    voids UInt64 COMMENT '当日接收的作废数 | Voids accepted on this day',
    reinstatements UInt64 COMMENT '当日接收的恢复数 | Reinstatements accepted on this day'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
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
        countIf(NOT resend AND delay_ms > 5000) AS is_delayed,
        countIf(resend) AS is_resent,
        countIf(revision > 0) AS is_corrected,
        toUInt64(0) AS correction,
        toUInt64(0) AS void,
        toUInt64(0) AS reinstatement
    FROM store.records_current FINAL
    GROUP BY lot_id, day, vehicle_class
    UNION ALL
    SELECT
        lot_id,
        toDate(accept_time) AS day,
        0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 1),
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 2),
        uniqExactIf(tuple(record_id, revision, digest), revision_kind = 3)
    FROM store.record_revisions
    WHERE revision_kind != 0
    GROUP BY lot_id, day
)
GROUP BY lot_id, day
-- A record is where its event is, so that no two months hold it, and those that are not asked for are not read.
SETTINGS do_not_merge_across_partitions_select_final = 1
