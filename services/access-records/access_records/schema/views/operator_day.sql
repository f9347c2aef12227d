-- What happened in all lots of an operator on each Beijing day, under the operator that the registry names now (R9.2). 各经营管理者每日统计，按登记中现任经营管理者归并（R9.2）。
CREATE OR REPLACE VIEW parkmesh.operator_day
(
    operator_id String COMMENT '经营管理者标识，登记中未写明为空 | Who runs the lots now; empty when the registry does not say',
    day Date COMMENT '日期（北京时间） | The Beijing day of the event',
    lots UInt64 COMMENT '当日有数据的停车场数 | Lots of which there is anything on this day',
    records UInt64 COMMENT '有效记录数 | Records that hold',
    entries UInt64 COMMENT '入场数 | Entries',
    exits UInt64 COMMENT '出场数 | Exits',
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
GROUP BY operator_id, day
