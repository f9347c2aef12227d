-- As told; what says that a visit is gone has no records, and counts from when it was written.
ALTER TABLE store.visits
    MODIFY COLUMN made_time DateTime64(3, 'Asia/Shanghai') DEFAULT if(made_ms = 0, now64(3, 'Asia/Shanghai'), fromUnixTimestamp64Milli(made_ms, 'Asia/Shanghai')) COMMENT '末条记录的接收时间（北京时间），保留期限由此起算'
