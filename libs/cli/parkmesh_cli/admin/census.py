"""What a census of lots, gates or berths is written on: every column that the platform reads, and a row to go by."""

import csv
import io
from collections.abc import Mapping
from typing import Final

from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_GATES,
    SURVEY_SUBJECT_LOTS,
    SurveySubject,
)

_PLACE: Final = {"纬度": "25.431028", "经度": "119.007558", "坐标系": "GCJ-02"}
_COLUMNS: Final[Mapping[SurveySubject.ValueType, Mapping[str, str]]] = {
    SURVEY_SUBJECT_LOTS: {
        "登记编号": "PT-0001",
        "名称": "文献路停车场",
        "类型": "公共停车场",
        "行政区划代码": "350302",
        "地址": "文献路1号",
        **_PLACE,
        "泊位数": "110",
        "分类泊位数": "小型车:120/100,快充:10/10",
        "经营管理者统一社会信用代码": "911522010783762860",
        "是否属于管理范围": "是",
        "结构形式": "地下",
        "土地权属关系": "租赁",
        "管理区域": "湄洲岛管委会",
        "营业时间": "周一至周五 07:30-22:00;周六、周日 09:00-18:00",
        "限高（厘米）": "210",
        "车辆限制": "禁止大型车,禁止挂车",
        "收费方式": "按时",
        "收费标准": "首小时5元，之后每小时2元",
        "服务电话": "0594-2691234",
        "投诉电话": "12345",
        "备注": "暂无",
    },
    SURVEY_SUBJECT_GATES: {
        "停车场登记编号": "PT-0001",
        "出入口编号": "1",
        "出入口名称": "文献路一号出入口",
        "车道": "1:入,2:出",
        "地址": "文献路1号",
        **_PLACE,
        "使用状态": "在用",
    },
    SURVEY_SUBJECT_BERTHS: {
        "停车场登记编号": "PT-0001",
        "泊位编号": "B001",
        "公安泊位编码": "PT0000001",
        "泊位类别": "小型车",
        "地面喷涂编号": "001",
        "厂商编号": "A-17",
        "位置描述": "文献路12号前",
        **_PLACE,
        "使用状态": "在用",
    },
}


def sheet(subject: SurveySubject.ValueType) -> str:
    """The file as CSV, with a byte-order mark so that spreadsheets know it for UTF-8."""
    columns = _COLUMNS[subject]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((columns.keys(), columns.values()))
    return f"\ufeff{text.getvalue()}"
