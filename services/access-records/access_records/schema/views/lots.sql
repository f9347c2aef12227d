-- The lots with their names, divisions, berths and operators. 停车场维表：名称、区划、泊位与经营管理者。
CREATE OR REPLACE VIEW parkmesh.lots
(
    lot_id String COMMENT '停车场标识 | The lot',
    registration_number String COMMENT '停车场登记编号 | Number under which the authority registered it',
    name String COMMENT '停车场名称 | Name',
    type UInt8 COMMENT '停车场类型 | Type (LotType)',
    division_code LowCardinality(String) COMMENT '行政区划代码（GB/T 2260） | Division code by GB/T 2260',
    division_name LowCardinality(String) COMMENT '行政区划名称 | Name of the division; empty when not known',
    address String COMMENT '地址 | Address',
    latitude Nullable(Float64) COMMENT '纬度，未知为空 | Latitude in degrees; NULL when unknown',
    longitude Nullable(Float64) COMMENT '经度，未知为空 | Longitude in degrees; NULL when unknown',
    coordinate_system UInt8 COMMENT '坐标系 | System of both (CoordinateSystem)',
    open_berths Int32 COMMENT '对社会开放泊位数 | Berths open to the public',
    state UInt8 COMMENT '状态 | State (LotState)',
    operator_id String COMMENT '经营管理者标识，未写明为空 | Who runs it; empty when the registry does not say',
    in_scope Bool COMMENT '是否属于管理范围 | Whether the regulation applies to it (R3)',
    management_area LowCardinality(String) COMMENT '管理区域 | The area that manages it, where that is no division'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    registration_number,
    name,
    type,
    division_code,
    division_name,
    address,
    latitude,
    longitude,
    coordinate_system,
    open_berths,
    state,
    operator_id,
    in_scope,
    management_area
FROM store.lots FINAL
