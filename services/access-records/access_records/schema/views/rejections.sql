-- What was refused and why, without plates: each vendor's faults by their reasons, under the names of docs/errors.md. 拒收记录及原因，不含号牌；原因名称见 docs/errors.md。
CREATE OR REPLACE VIEW parkmesh.rejections
(
    lot_id LowCardinality(String) COMMENT '停车场标识 | The lot',
    record_id String COMMENT '记录编号（上报值） | The record as it was sent',
    revision UInt32 COMMENT '修订号，首次上报为 0 | Number of the revision; 0 for a record',
    reason LowCardinality(String) COMMENT '拒收原因（docs/errors.md） | Why it was refused, as docs/errors.md names it',
    field LowCardinality(String) COMMENT '出错字段 | The field at fault, by its JSON name',
    vendor_id LowCardinality(String) COMMENT '上报方标识 | Who sent it',
    event_time DateTime64(3, 'Asia/Shanghai') COMMENT '进出时间（上报值，北京时间） | When it happened, as it was sent',
    note_time DateTime64(3, 'Asia/Shanghai') COMMENT '拒收时间（北京时间） | When it was refused, Beijing time'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT
    lot_id,
    record_id,
    revision,
    named.name AS reason,
    field,
    vendor_id,
    event_time,
    note_time
FROM store.rejections AS refused FINAL
LEFT JOIN (SELECT code, name FROM store.codes FINAL WHERE kind = 'ErrorReason') AS named ON named.code = refused.reason
