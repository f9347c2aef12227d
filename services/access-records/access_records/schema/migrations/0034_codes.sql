-- What the numbers in the other tables are called: a refusal is read by its reason's name, and an enum may grow without a view being changed.
CREATE TABLE IF NOT EXISTS store.codes
(
    kind LowCardinality(String) COMMENT '代码类别',
    code UInt16 COMMENT '代码',
    name String COMMENT '名称'
)
ENGINE = ReplacingMergeTree
ORDER BY (kind, code)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '代码'
