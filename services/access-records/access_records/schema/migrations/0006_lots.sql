-- The registry's lots, as the directory tells them; the highest version wins.
CREATE TABLE IF NOT EXISTS store.lots
(
    lot_id String COMMENT '停车场标识',
    registration_number String COMMENT '停车场登记编号',
    name String COMMENT '停车场名称',
    type UInt8 COMMENT '停车场类型：1 公共，2 专用，3 临时，4 道路泊位',
    division_code LowCardinality(String) COMMENT '行政区划代码（GB/T 2260）',
    division_name LowCardinality(String) COMMENT '行政区划名称',
    address String COMMENT '地址',
    latitude Nullable(Float64) COMMENT '纬度',
    longitude Nullable(Float64) COMMENT '经度',
    coordinate_system UInt8 COMMENT '坐标系：1 GCJ-02，2 WGS-84，3 BD-09，4 CGCS2000',
    open_berths Int32 COMMENT '对社会开放泊位数',
    state UInt8 COMMENT '状态：1 待审核，2 启用，3 暂停，4 关闭',
    version UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY lot_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车场'
