-- Entries and exits of each class of vehicle in each lot, hour by hour of Beijing's days (R5.2b). Day and hour are two columns, so that no driver can shift them into another zone. 各停车场每小时各车型进出数（R5.2b）。
CREATE OR REPLACE VIEW parkmesh.lot_hour
(
    lot_id LowCardinality(String) COMMENT '停车场标识 | The lot',
    day Date COMMENT '日期（北京时间） | The Beijing day of the event',
    hour UInt8 COMMENT '小时（北京时间，0–23） | The hour that begins then, 0 to 23, Beijing time',
    vehicle_class UInt8 COMMENT '车辆类型 | Class of the vehicle (VehicleClass)',
    entries UInt64 COMMENT '入场数 | Entries',
    exits UInt64 COMMENT '出场数 | Exits'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    toDate(event_time) AS day,
    toHour(event_time) AS hour,
    vehicle_class,
    countIf(direction = 'entry') AS entries,
    countIf(direction = 'exit') AS exits
FROM store.records_current FINAL
GROUP BY lot_id, day, hour, vehicle_class
