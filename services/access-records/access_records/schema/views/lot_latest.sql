-- Where there was room when each lot was last heard of, and how long ago that was. 各停车场最近上报的空余泊位数及距今时间。
CREATE OR REPLACE VIEW parkmesh.lot_latest
(
    lot_id String COMMENT '停车场标识 | The lot',
    name String COMMENT '停车场名称 | Name',
    division_name LowCardinality(String) COMMENT '行政区划名称 | Name of the division',
    open_berths Int32 COMMENT '对社会开放泊位数 | Berths open to the public',
    free_spaces Int32 COMMENT '最近上报的空余泊位数 | Free berths as last reported',
    event_time DateTime64(3, 'Asia/Shanghai') COMMENT '上报所依据的进出时间（北京时间） | The event that they were reported with, Beijing time',
    age_seconds Int64 COMMENT '距今秒数 | How long ago that was, in seconds'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    lots.name AS name,
    lots.division_name AS division_name,
    lots.open_berths AS open_berths,
    free.free_spaces AS free_spaces,
    free.event_time AS event_time,
    dateDiff('second', free.event_time, now64(3, 'Asia/Shanghai')) AS age_seconds
FROM store.lot_free AS free FINAL
LEFT JOIN (SELECT * FROM store.lots FINAL) AS lots USING (lot_id)
