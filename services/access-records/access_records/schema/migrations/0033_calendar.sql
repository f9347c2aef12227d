-- Beijing's days, so that workdays are compared with workdays; the plan of a later year replaces what was known before.
CREATE TABLE IF NOT EXISTS store.calendar
(
    day Date COMMENT '日期（北京时间）',
    year UInt16 COMMENT '年',
    month UInt8 COMMENT '月（1–12）',
    iso_year UInt16 COMMENT '周所属年（ISO 8601）',
    iso_week UInt8 COMMENT '周次（ISO 8601）',
    weekday UInt8 COMMENT '星期（1 星期一至 7 星期日）',
    is_weekend Bool COMMENT '是否星期六或星期日',
    is_workday Bool COMMENT '是否工作日（已计入节假日安排）',
    day_type LowCardinality(String) COMMENT '日期类型：workday 工作日，weekend 周末，holiday 节假日，makeup 调休上班',
    holiday LowCardinality(String) COMMENT '节假日名称；调休上班日为其所调的节假日',
    planned Bool COMMENT '该年的节假日安排是否已知',
    plan_year UInt16 COMMENT '写入时已知安排的最后一年'
)
ENGINE = ReplacingMergeTree(plan_year)
ORDER BY day
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '日历'
