-- Beijing's days from 2020 to 2035: workdays, weekends and holidays by the plans of the State Council, as far as they are known. 日历维表（2020–2035 年）：工作日、周末、节假日与调休，按国务院已公布的安排。
CREATE OR REPLACE VIEW parkmesh.calendar
(
    day Date COMMENT '日期（北京时间） | The Beijing day',
    year UInt16 COMMENT '年 | Year',
    month UInt8 COMMENT '月（1–12） | Month, 1 to 12',
    iso_year UInt16 COMMENT '周所属年（ISO 8601） | Year that the week belongs to, by ISO 8601',
    iso_week UInt8 COMMENT '周次（ISO 8601） | Week by ISO 8601',
    weekday UInt8 COMMENT '星期（1 星期一至 7 星期日） | Weekday, 1 Monday to 7 Sunday (Weekday)',
    is_weekend Bool COMMENT '是否星期六或星期日 | Whether it is a Saturday or Sunday',
    is_workday Bool COMMENT '是否工作日（已计入节假日安排） | Whether people work, holidays and make-up workdays taken into account',
    day_type LowCardinality(String) COMMENT '日期类型：workday 工作日，weekend 周末，holiday 节假日，makeup 调休上班 | workday, weekend, holiday, or makeup for a weekend day worked in exchange',
    holiday LowCardinality(String) COMMENT '节假日名称；调休上班日为其所调的节假日 | Name of the holiday; of a make-up workday the holiday that it makes up for',
    planned Bool COMMENT '该年的节假日安排是否已知；未知时只分工作日与周末 | Whether the plan of that year is known; without it there are only workdays and weekends'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT day, year, month, iso_year, iso_week, weekday, is_weekend, is_workday, day_type, holiday, planned
FROM store.calendar FINAL
