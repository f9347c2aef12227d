-- Who runs lots and bears their duties; no contact, since a contact is a person. 经营管理者维表；联系人属个人信息，不予公布。
CREATE OR REPLACE VIEW parkmesh.operators
(
    operator_id String COMMENT '经营管理者标识 | The operator',
    name String COMMENT '名称 | Name as registered'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT operator_id, name
FROM store.operators FINAL
