"""The columns of a census of berths, in a template's order."""

from typing import Final

from parkmesh.registry.v1.berth_pb2 import ALIAS_TYPE_PAINTED, ALIAS_TYPE_VENDOR

from registry.surveys import words
from registry.surveys.column import LOT_NUMBER, PLACE, STATE, Column, alias, one_of, text, word

BERTHS: Final = (
    LOT_NUMBER,
    Column(
        "berthId",
        "泊位编号",
        "berth_id",
        text("berth_id"),
        "The berth's number within the lot, as records name it",
        "停车场内的泊位编号，与进出记录一致",
        "B001",
        ("泊位标识", "berthNumber"),
        needed=True,
        identifies=True,
    ),
    Column(
        "policeCode",
        "公安泊位编码",
        "police_code",
        text("police_code"),
        "The police's code, as given; alone it tells which berth of the register a row is about",
        "公安部门编制的泊位编码；已登记的泊位可仅凭此编码识别",
        "PT0000001",
        ("公安编码", "泊位编码"),
        identifies=True,
    ),
    Column(
        "berthClass",
        "泊位类别",
        "berth_class",
        word("berth_class", words.BERTH_CLASSES),
        f"One of {one_of(words.BERTH_CLASSES)}",
        f"{one_of(words.BERTH_CLASSES)}之一",
        "小型车",
        ("泊位类型",),
        needed=True,
    ),
    Column(
        "paintedNumber",
        "地面喷涂编号",
        "aliases",
        alias(ALIAS_TYPE_PAINTED),
        "The number painted on the ground; the one of before ends with the survey",
        "地面喷涂的编号；原编号自普查时间起终止",
        "001",
        ("喷涂编号",),
    ),
    Column(
        "vendorNumber",
        "厂商编号",
        "aliases",
        alias(ALIAS_TYPE_VENDOR),
        "The number in the vendor's software; the one of before ends with the survey",
        "厂商系统中的编号；原编号自普查时间起终止",
        "A-17",
        ("厂商泊位编号",),
    ),
    Column(
        "place",
        "位置描述",
        "place",
        text("place"),
        "Where it is, in words: floor, zone, house number",
        "楼层、分区、门牌等",
        "文献路12号前",
        ("位置",),
    ),
    *PLACE,
    STATE,
)
