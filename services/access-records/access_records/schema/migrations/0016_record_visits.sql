-- Which records a vendor gave one visit id, so that an exit finds its entry without a scan of the lot; a row is a hint, as in record_plates.
CREATE TABLE IF NOT EXISTS store.record_visits
(
    lot_id LowCardinality(String) COMMENT '停车场标识',
    visit_id String COMMENT '停车流水号，进出场相同',
    event_time DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（北京时间）',
    record_id String COMMENT '记录编号，车场内唯一',
    accept_time DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (lot_id, visit_id, event_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车流水号索引'
