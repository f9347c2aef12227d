-- Where a vehicle's visits are, by its pseudonym; a row is a hint and is looked up again in visits.
CREATE TABLE IF NOT EXISTS store.visit_plates
(
    plate_key FixedString(16) COMMENT '号牌假名（带密钥摘要）' CODEC(NONE),
    anchor_time DateTime64(3, 'Asia/Shanghai') COMMENT '首条记录的进出时间（北京时间）',
    lot_id LowCardinality(String) COMMENT '停车场标识',
    record_id String COMMENT '首条记录编号（入场，缺则出场）'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(anchor_time)
ORDER BY (plate_key, anchor_time, lot_id, record_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480
COMMENT '停车记录的号牌假名索引'
