"""Cells: what a text stands for, in the form of the proto. A text that cannot be read is a `Refusal`."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from mesh import validation
from parkmesh.registry.v1.berth_pb2 import AliasType, BerthAlias
from parkmesh.registry.v1.gate_pb2 import Lane, LaneDirection
from parkmesh.registry.v1.lot_pb2 import BerthClass, BerthCount, OpeningPeriod, VehicleRestriction, Weekday
from vocabulary import refusal
from vocabulary.refusal import Refusal

from registry.surveys.words import BERTH_CLASSES, DIRECTIONS, RESTRICTIONS, Words, folded

_MOST_DIGITS: Final = 9
_NUMBER: Final = re.compile(rf"(\d{{1,{_MOST_DIGITS}}})(\.0+)?", re.ASCII)
_DEGREES: Final = re.compile(r"-?\d{1,3}(\.\d{1,20})?", re.ASCII)
_LIST: Final = re.compile(r"[,;、\n]")
_PERIODS: Final = re.compile(r"[;\n]")
_LANE: Final = re.compile(r"([^:=]+)[:=](.+)")
_COUNT: Final = re.compile(rf"([^:=]+)[:=](\d{{1,{_MOST_DIGITS}}})(?:/(\d{{1,{_MOST_DIGITS}}}))?", re.ASCII)

_CHINESE_DAYS: Final = {
    day: number for number, days in enumerate(("一", "二", "三", "四", "五", "六", "日天"), 1) for day in days
}
_ENGLISH_DAYS: Final = {day: at for at, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)}
_DAY: Final = "(?:(?:周|星期)[一二三四五六日天]|" + "|".join(_ENGLISH_DAYS) + ")"
_DAYS: Final = re.compile(f"{_DAY}(?:(?:至|到|-|~){_DAY})?(?:[,、]{_DAY}(?:(?:至|到|-|~){_DAY})?)*")
_DAY_RANGE: Final = re.compile(f"({_DAY})(?:(?:至|到|-|~)({_DAY}))?")
_EVERY_DAY: Final = re.compile("每天|每日|daily")
_WHOLE_DAY: Final = re.compile("全天(?:24小时)?|24小时|24h")
_HOURS: Final = re.compile(r"(\d{1,2}):(\d{2})(?:-|~|至|到)(?:次日|翌日)?(\d{1,2}):(\d{2})", re.ASCII)

ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
"""What a spreadsheet shows where a formula failed."""


class CellRule(refusal.Rule):
    """What can be wrong with the text of a cell."""

    FORMULA = ("cell.formula_failed", "must not be the failure of a formula", "不得为公式错误值")
    NUMBER = (
        "cell.number",
        f"must be a whole number of at most {_MOST_DIGITS} digits, without separators or a unit",
        f"须为不超过{_MOST_DIGITS}位的整数，不带分隔符和单位",
    )
    DEGREES = ("cell.degrees", "must be decimal degrees, such as 25.431028", "须为十进制度数，如 25.431028")
    WORD = ("cell.word", "must be one of {words}", "须为以下之一：{words}")
    YES_NO = ("cell.yes_no", "must be 是 or 否, yes or no", "须为是或否")
    ALIAS = (
        "cell.alias",
        "must have at most 64 characters, and no control characters",
        "至多64个字符，不得含控制字符",
    )
    LANES = (
        "cell.lanes",
        "must be lanes as number:direction, such as 1:入,2:出,3:双向",
        "须为“编号:方向”，如 1:入,2:出,3:双向",
    )
    BERTHS = (
        "cell.berths",
        "must be berths as class:built/open, such as 小型车:120/100,快充:10/10",
        "须为“类别:建设数/开放数”，如 小型车:120/100,快充:10/10",
    )
    HOURS = (
        "cell.opening_hours",
        "must be opening hours, such as 全天, 08:00-22:00 or 周一至周五 07:30-22:00;周六、周日 09:00-18:00",
        "须为营业时间，如 全天、08:00-22:00 或 周一至周五 07:30-22:00;周六、周日 09:00-18:00",
    )


class WordRefusal(Refusal):
    """A word that an enum does not have; the texts name those that it has."""

    def __init__(self, words: Words) -> None:
        super().__init__(CellRule.WORD, words="、".join(words.all))  # type: ignore[arg-type]  # texts of our own


def number(text: str) -> int:
    """A whole number; a spreadsheet's `120.0` is one."""
    found = _NUMBER.fullmatch(_narrow(text))
    if found is None:
        raise Refusal(CellRule.NUMBER)
    return int(found[1])


def degrees(text: str) -> float:
    """Degrees of latitude or longitude."""
    narrow = _narrow(text)
    if not _DEGREES.fullmatch(narrow):
        raise Refusal(CellRule.DEGREES)
    return float(narrow)


def word(text: str, words: Words) -> int:
    """The enum value that a word stands for."""
    value = words.number(text)
    if value is None:
        raise WordRefusal(words)
    return value


def yes_no(text: str) -> bool:
    """Whether it says yes."""
    match folded(text):
        case "是" | "yes" | "true":
            return True
        case "否" | "no" | "false":
            return False
        case _:
            raise Refusal(CellRule.YES_NO)


def alias(text: str, alias_type: AliasType.ValueType) -> BerthAlias:
    """Another name of a berth."""
    given = BerthAlias(type=alias_type, text=text)
    if validation.violations(given):
        raise Refusal(CellRule.ALIAS)
    return given


def lanes(text: str) -> Iterator[Lane]:
    """The lanes of a gate, in their order."""
    for entry in _entries(text):
        found = _LANE.fullmatch(entry)
        direction = DIRECTIONS.number(found[2]) if found else None
        if found is None or direction is None:
            raise Refusal(CellRule.LANES)
        yield Lane(lane_id=found[1].strip(), direction=LaneDirection.ValueType(direction))


def berths(text: str) -> Iterator[BerthCount]:
    """Berths by class; where one number stands, all are open."""
    for entry in _entries(text):
        found = _COUNT.fullmatch("".join(entry.split()))
        berth_class = BERTH_CLASSES.number(found[1]) if found else None
        if found is None or berth_class is None:
            raise Refusal(CellRule.BERTHS)
        yield BerthCount(
            berth_class=BerthClass.ValueType(berth_class), built=int(found[2]), open=int(found[3] or found[2])
        )


def restrictions(text: str) -> Iterator[VehicleRestriction.ValueType]:
    """Vehicles that may not enter."""
    for entry in _entries(text):
        yield VehicleRestriction.ValueType(word(entry, RESTRICTIONS))


def opening_hours(text: str) -> Iterator[OpeningPeriod]:
    """Periods: days, which may be left out, and hours; `;` between different days. Midnight as an end is 24:00."""
    periods = [period for entry in _PERIODS.split(_narrow(text)) if entry for period in _periods(entry)]
    if not periods:
        raise Refusal(CellRule.HOURS)
    yield from periods


def _periods(entry: str) -> Iterator[OpeningPeriod]:
    weekdays: list[Weekday.ValueType] = []
    rest = entry
    if every := _EVERY_DAY.match(entry):
        rest = entry[every.end() :]
    elif days := _DAYS.match(entry):
        weekdays = list(_weekdays(days[0]))
        rest = entry[days.end() :]
    for hours in rest.lstrip(":").split(","):
        if _WHOLE_DAY.fullmatch(hours):
            yield OpeningPeriod(weekdays=weekdays, opens="00:00", closes="24:00")
            continue
        found = _HOURS.fullmatch(hours)
        if found is None:
            raise Refusal(CellRule.HOURS)
        closes = f"{found[3]:>02}:{found[4]}"
        yield OpeningPeriod(
            weekdays=weekdays, opens=f"{found[1]:>02}:{found[2]}", closes="24:00" if closes == "00:00" else closes
        )


def _weekdays(text: str) -> Iterator[Weekday.ValueType]:
    days: set[int] = set()
    for found in _DAY_RANGE.finditer(text):
        first = _weekday(found[1])
        last = _weekday(found[2]) if found[2] else first
        days.update((first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1))
    for day in sorted(days):
        yield Weekday.ValueType(day)


def _weekday(text: str) -> int:
    return _ENGLISH_DAYS.get(text) or _CHINESE_DAYS[text[-1]]


def _entries(text: str) -> Iterator[str]:
    for entry in _LIST.split(unicodedata.normalize("NFKC", text)):
        if entry.strip():
            yield entry.strip()


def _narrow(text: str) -> str:
    """The text in half width, small letters, without blanks but for line ends."""
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in narrow if character == "\n" or not character.isspace())
