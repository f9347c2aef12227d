-- Analysts ask by operator and by area; a row says of which state of the registry it is, since wall clocks run backwards and revisions do not.
ALTER TABLE store.lots
    ADD COLUMN IF NOT EXISTS operator_id String COMMENT '经营管理者标识' AFTER state,
    ADD COLUMN IF NOT EXISTS in_scope Bool DEFAULT true COMMENT '是否属于管理范围' AFTER operator_id,
    ADD COLUMN IF NOT EXISTS management_area LowCardinality(String) COMMENT '管理区域' AFTER in_scope,
    ADD COLUMN IF NOT EXISTS registry_epoch LowCardinality(String) COMMENT '登记数据世代' AFTER management_area,
    ADD COLUMN IF NOT EXISTS registry_revision UInt64 COMMENT '登记数据版本' AFTER registry_epoch
