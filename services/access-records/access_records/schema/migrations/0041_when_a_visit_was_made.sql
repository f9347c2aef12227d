-- A visit is kept for as long as its records, which counts from when they came and not from when they happened: a late report of an old day is paired like any other.
ALTER TABLE store.visits
    ADD COLUMN IF NOT EXISTS made_time DateTime64(3, 'Asia/Shanghai') DEFAULT now64(3, 'Asia/Shanghai') COMMENT '生成时间（北京时间），保留期限由此起算' AFTER due_time
