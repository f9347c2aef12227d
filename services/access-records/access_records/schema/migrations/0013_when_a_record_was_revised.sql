-- A current row says by when its last revision was accepted, so that what is newer than a mark can be told apart.
ALTER TABLE store.records_current
    ADD COLUMN IF NOT EXISTS revise_ms Int64 EPHEMERAL 0 AFTER delay_ms,
    ADD COLUMN IF NOT EXISTS revise_time Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(revise_ms = 0, NULL, fromUnixTimestamp64Milli(revise_ms, 'Asia/Shanghai')) COMMENT '最近修订接收时间（北京时间），未修订为空' AFTER revise_ms
