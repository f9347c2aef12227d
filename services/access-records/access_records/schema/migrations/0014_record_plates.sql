-- Where a vehicle was seen, by its pseudonym: projections of the current rows are ignored by FINAL, and a scan grows with the history.
-- A row is a hint and is looked up again in records_current: a corrected plate leaves its old row behind.
CREATE TABLE IF NOT EXISTS store.record_plates
(
    plate_key FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    lot_id LowCardinality(String) COMMENT '停车场标识',
    event_time DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（北京时间）',
    record_id String COMMENT '记录编号，车场内唯一',
    accept_time DateTime64(3, 'Asia/Shanghai') COMMENT '平台接收时间（北京时间）'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time)
ORDER BY (plate_key, lot_id, event_time, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '号牌假名索引'
