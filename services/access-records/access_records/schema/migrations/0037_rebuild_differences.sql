-- The lot-months in which a rebuild found other rows than it made, some of them.
CREATE TABLE IF NOT EXISTS store.rebuild_differences
(
    rebuild_id String COMMENT '重建编号',
    `projection` UInt8 COMMENT '投影：1 当前状态，2 号牌索引，3 停车流水',
    lot_id String COMMENT '停车场标识',
    month UInt32 COMMENT '月份',
    held_rows UInt64 COMMENT '原有行数',
    rebuilt_rows UInt64 COMMENT '应有行数',
    record_ids Array(String) COMMENT '部分记录编号'
)
ENGINE = ReplacingMergeTree
ORDER BY (rebuild_id, projection, lot_id, month)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '重建差异'
