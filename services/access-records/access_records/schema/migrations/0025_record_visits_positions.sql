-- As for record_plates.
ALTER TABLE store.record_visits
    ADD COLUMN IF NOT EXISTS log_offset UInt64 COMMENT '日志位置'
