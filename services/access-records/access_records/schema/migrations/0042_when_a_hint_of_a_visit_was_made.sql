-- As of the visits themselves.
ALTER TABLE store.visit_plates
    ADD COLUMN IF NOT EXISTS made_time DateTime64(3, 'Asia/Shanghai') DEFAULT now64(3, 'Asia/Shanghai') COMMENT '生成时间（北京时间），保留期限由此起算'
