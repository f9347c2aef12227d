-- How far each projection of a rebuild has come: the history writer's own notes, the last of which counts.
CREATE TABLE IF NOT EXISTS store.rebuilds
(
    rebuild_id String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：1 当前状态，2 号牌索引，3 停车流水',
    state UInt8 COMMENT '状态：2 进行中，3 一致，4 不一致，5 已修复，6 失败',
    compared_rows UInt64 COMMENT '比对行数',
    different_lot_months UInt32 COMMENT '差异场月数',
    note_time DateTime64(3, 'Asia/Shanghai') COMMENT '记录时间（北京时间）'
)
ENGINE = ReplacingMergeTree(note_time)
ORDER BY (rebuild_id, projection)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '重建结果'
