-- The registry's operators, as the directory tells them; the highest version wins.
CREATE TABLE IF NOT EXISTS store.operators
(
    operator_id String COMMENT '经营管理者标识',
    name String COMMENT '名称',
    registry_epoch LowCardinality(String) COMMENT '登记数据世代',
    registry_revision UInt64 COMMENT '登记数据版本',
    version UInt64 COMMENT '版本'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY operator_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '经营管理者'
