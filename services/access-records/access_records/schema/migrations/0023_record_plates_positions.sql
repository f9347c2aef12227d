-- A hint says by which log position it came, so that a projection is not told of what it has not come to yet.
ALTER TABLE store.record_plates
    ADD COLUMN IF NOT EXISTS log_offset UInt64 COMMENT '日志位置'
