-- How each vendor reported on each Beijing day: records on the day of their event, what was refused on the day of its refusal. 各厂商每日上报质量：记录按进出日计，拒收按拒收日计。
CREATE OR REPLACE VIEW parkmesh.vendor_day
(
    vendor_id LowCardinality(String) COMMENT '上报方标识 | Who sent it',
    day Date COMMENT '日期（北京时间） | The Beijing day: of the event for records, of the refusal for what was refused',
    lots UInt64 COMMENT '有记录的停车场数 | Lots with records of this day',
    records UInt64 COMMENT '有效记录数 | Records that hold',
    live UInt64 COMMENT '实时上报数（非补传） | Records sent as they happened, not resent',
    delayed_over_5s UInt64 COMMENT '实时上报中时延超过 5 秒的数量 | Of the live ones those that took more than five seconds',
    resent UInt64 COMMENT '补传数 | Records sent again after an outage',
    plates_unread UInt64 COMMENT '号牌未识别数 | Records whose plate could not be read',
    without_images UInt64 COMMENT '无图像记录数 | Records that name no picture',
    warned UInt64 COMMENT '带提示的记录数 | Records that were accepted with a warning',
    corrected UInt64 COMMENT '其中经修订的有效记录数 | Records of this day that hold after a revision',
    rejections UInt64 COMMENT '当日拒收数 | Items refused on this day'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
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
        countIf(NOT resend AND delay_ms > 5000) AS is_delayed,
        countIf(resend) AS is_resent,
        countIf(plate_state = 2) AS plate_unread,
        countIf(empty(image_ids)) AS without_image,
        countIf(notEmpty(warnings)) AS is_warned,
        countIf(revision > 0) AS is_corrected,
        toUInt64(0) AS refused
    FROM store.records_current FINAL
    GROUP BY vendor_id, day
    UNION ALL
    SELECT
        vendor_id,
        toDate(note_time) AS day,
        0, 0, 0, 0, 0, 0, 0, 0, 0,
        count()
    FROM store.rejections FINAL
    GROUP BY vendor_id, day
)
GROUP BY vendor_id, day
