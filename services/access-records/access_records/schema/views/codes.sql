-- What the numbers in the other views are called: join it by code with the kind that a column's description gives in brackets. 代码名称维表：按各列说明括号中的类别与代码关联。
CREATE OR REPLACE VIEW parkmesh.codes
(
    kind LowCardinality(String) COMMENT '代码类别 | Which codes, as the descriptions of columns name them',
    code UInt16 COMMENT '代码 | The number',
    name String COMMENT '名称 | Its name; the codes below say what it means'
)
DEFINER = owner SQL SECURITY DEFINER AS
SELECT kind, code, name
FROM store.codes FINAL
