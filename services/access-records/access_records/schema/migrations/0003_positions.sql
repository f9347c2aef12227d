-- How far each projection has followed each shard of the log, beside the rows it made: of two rows the further one stays.
CREATE TABLE IF NOT EXISTS store.positions
(
    `projection` LowCardinality(String) COMMENT '投影名称',
    shard UInt16 COMMENT '日志分片',
    epoch String COMMENT '日志世代',
    offset UInt64 COMMENT '已处理到的日志位置'
)
ENGINE = ReplacingMergeTree(offset)
ORDER BY (projection, shard)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '投影进度'
