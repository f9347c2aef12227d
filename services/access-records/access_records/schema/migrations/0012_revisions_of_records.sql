-- A correction, void or reinstatement is a row like a first report: what it changes, why, who decided it and when.
ALTER TABLE store.record_revisions
    ADD COLUMN IF NOT EXISTS revision_kind UInt8 COMMENT '修订类别：0 首次上报，1 纠正，2 作废，3 恢复' AFTER revision,
    ADD COLUMN IF NOT EXISTS revised_fields Array(LowCardinality(String)) COMMENT '纠正的字段' AFTER revision_kind,
    ADD COLUMN IF NOT EXISTS reason UInt8 COMMENT '修订原因编号' AFTER revised_fields,
    ADD COLUMN IF NOT EXISTS reason_text String COMMENT '修订原因说明' AFTER reason,
    ADD COLUMN IF NOT EXISTS author String COMMENT '修订人' AFTER reason_text,
    ADD COLUMN IF NOT EXISTS evidence_ids Array(String) COMMENT '证据编号' AFTER author,
    ADD COLUMN IF NOT EXISTS made_ms Int64 EPHEMERAL 0 AFTER evidence_ids,
    ADD COLUMN IF NOT EXISTS made_time Nullable(DateTime64(3, 'Asia/Shanghai')) DEFAULT if(made_ms = 0, NULL, fromUnixTimestamp64Milli(made_ms, 'Asia/Shanghai')) COMMENT '修订作出时间（北京时间），首次上报为空' AFTER made_ms,
    ADD COLUMN IF NOT EXISTS account_id LowCardinality(String) COMMENT '修订提交账号，软件上报为空' AFTER vendor_id
