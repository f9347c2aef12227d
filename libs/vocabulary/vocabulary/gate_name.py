"""A gate's name (出入口名称) by the annex's rule (A6): road name, Chinese ordinal with 号, 入口, 出口 or 出入口.

文献路一号入口 is the first way in from 文献路. The road may end as it likes (路, 街, 大道, 巷, 国道 …). The annex asks
for an ordinal where one road has several gates; without one, the fault is `GateNameRule.ORDINAL_MISSING` and no other.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vocabulary.refusal import Refusal, Rule

MAX_ORDINAL: Final = 99
MAX_ROAD: Final = 30
"""How many characters a road's name has at most."""


class GateDirection(StrEnum):
    """Which way vehicles pass, in the words of the name."""

    ENTRY = "入口"
    EXIT = "出口"
    BOTH = "出入口"


class GateNameRule(Rule):
    """What can be wrong with a gate's name."""

    DIRECTION = (
        "gate_name.direction",
        "ends with 入口, 出口 or 出入口, as in 文献路一号入口",
        "应以“入口”“出口”或“出入口”结尾，如文献路一号入口",
    )
    ORDINAL_MISSING = (
        "gate_name.ordinal_missing",
        "has an ordinal with 号 before the direction, as in 文献路一号入口",
        "方向前缺少序号，如文献路一号入口",
    )
    ORDINAL = (
        "gate_name.ordinal",
        "the ordinal is a Chinese number from 一 to 九十九 and 号, without 第 or zeros: 十号, 十一号, 二十号, 二十一号",
        "序号应为一至九十九的汉字数字加“号”，不加“第”和“零”：十号、十一号、二十号、二十一号",
    )
    ROAD = (
        "gate_name.road",
        "begins with the name of the road, as in 文献路一号入口: 1 to 30 characters, Chinese, letters, digits,"
        " brackets, · and -, and no number at its end",
        "应以道路名称开头，如文献路一号入口：1至30个字，含汉字、字母、数字、括号、·和-，末尾不为数字",
    )


_DIGITS: Final = "一二三四五六七八九"
_NUMERALS: Final = f"第{_DIGITS}十百千零〇两廿卅0123456789０１２３４５６７８９"
"""What an ordinal could be written with, rightly or wrongly; a road's name ends before it."""

_DIRECTION: Final = re.compile(r"(?<![进入])(?:出入口|入口|出口)\Z")
_ROAD: Final = re.compile(rf"(?:[^\W_]|[()（）·-]){{1,{MAX_ROAD}}}")
_BARE: Final = frozenset({"路", "街", "道", "大道", "大街", "巷", "弄", "公路"})


@dataclass(frozen=True, slots=True)
class GateName:
    """A name taken apart. Raises `Refusal` with a `GateNameRule` when the parts make no name that reads back."""

    road: str
    ordinal: int
    """1 to 99."""
    direction: GateDirection

    def __post_init__(self) -> None:
        if not _ROAD.fullmatch(self.road) or self.road[-1] in _NUMERALS or self.road in _BARE:
            raise Refusal(GateNameRule.ROAD)
        if not 1 <= self.ordinal <= MAX_ORDINAL:
            raise Refusal(GateNameRule.ORDINAL)

    @property
    def text(self) -> str:
        """The name, such as 文献路二十一号出入口."""
        return f"{self.road}{numeral(self.ordinal)}号{self.direction}"


def parse(raw: str) -> GateName:
    """The parts of a gate's name; raises `Refusal` with a `GateNameRule` that tells what is missing or wrong.

    Blanks are dropped; nothing else is corrected, so 1号 and 进口 are refused. What stands before the ordinal is the
    road.
    """
    text = "".join(raw.split()) if len(raw) <= 3 * MAX_ROAD else raw
    end = _DIRECTION.search(text)
    if end is None:
        raise Refusal(GateNameRule.DIRECTION)
    before = text[: end.start()]
    body = before.removesuffix("号")
    road = body.rstrip(_NUMERALS)
    written = body[len(road) :]
    if not road:
        raise Refusal(GateNameRule.ROAD)
    if road == before:
        raise Refusal(GateNameRule.ORDINAL_MISSING)
    ordinal = _ORDINALS.get(written)
    if ordinal is None or body == before:
        raise Refusal(GateNameRule.ORDINAL)
    return GateName(road, ordinal, GateDirection(end[0]))


def numeral(ordinal: int) -> str:
    """A number from 1 to 99 as it is written in Chinese: 十, 十一, 二十, 二十一; ValueError outside."""
    if not 1 <= ordinal <= MAX_ORDINAL:
        raise ValueError("an ordinal is a number from 1 to 99")
    tens, ones = divmod(ordinal, 10)
    head = _DIGITS[tens - 1] if tens > 1 else ""
    return f"{head}{'十' if tens else ''}{_DIGITS[ones - 1] if ones else ''}"


_ORDINALS: Final = {numeral(ordinal): ordinal for ordinal in range(1, MAX_ORDINAL + 1)}
