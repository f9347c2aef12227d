-- The last reported free berths of each lot, so that the question costs one row a lot whatever the history holds.
CREATE TABLE IF NOT EXISTS store.lot_free
(
    lot_id String COMMENT '停车场标识',
    event_time DateTime64(3, 'Asia/Shanghai') COMMENT '上报所依据的进出时间',
    free_spaces Int32 COMMENT '空余泊位数'
)
ENGINE = ReplacingMergeTree(event_time)
ORDER BY lot_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '最近上报的空余泊位数'
