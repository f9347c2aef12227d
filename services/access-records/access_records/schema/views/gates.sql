-- The gates of the lots with their names and lanes. 出入口维表：名称与车道。
CREATE OR REPLACE VIEW parkmesh.gates
(
    lot_id String COMMENT '停车场标识 | The lot',
    gate_id String COMMENT '出入口编号 | The gate, within the lot',
    name String COMMENT '出入口名称 | Name by the rule of A6',
    state UInt8 COMMENT '使用状态 | Whether it is still there (ServiceState)',
    lane_ids Array(String) COMMENT '车道编号 | Its lanes',
    lane_directions Array(UInt8) COMMENT '各车道方向，与车道编号同序 | Which way each lane leads, in the order of lane_ids (LaneDirection)'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT lot_id, gate_id, name, state, lane_ids, lane_directions
FROM store.gates FINAL
