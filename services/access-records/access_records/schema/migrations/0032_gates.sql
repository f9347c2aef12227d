-- The gates of the registry's lots with their lanes, as the directory tells them; the highest version wins.
CREATE TABLE IF NOT EXISTS store.gates
(
    lot_id String COMMENT '停车场标识',
    gate_id String COMMENT '出入口编号',
    name String COMMENT '出入口名称',
    state UInt8 COMMENT '使用状态：1 在用，2 停用，3 拆除',
    lane_ids Array(String) COMMENT '车道编号',
    lane_directions Array(UInt8) COMMENT '各车道方向：1 入口，2 出口，3 双向',
    registry_epoch LowCardinality(String) COMMENT '登记数据世代',
    registry_revision UInt64 COMMENT '登记数据版本',
    version UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (lot_id, gate_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '出入口'
