"""What a person noted, as the records of a lot; or what is wrong with it, line by line."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.record_pb2 import AccessRecord
from vocabulary import beijing, plate

from parkmesh_cli.collect.columns import DIRECTIONS, PLATE_COLOURS, VEHICLE_CLASSES, Column, Words
from parkmesh_cli.collect.sheet import Line

_VERSION: Final = "parkmesh-collected-1"
_ID_DIGITS: Final = 32  # an id of 32 or more hexadecimal digits is never taken for one that reveals a plate
_LONGEST_PLACE: Final = 64
_WITHOUT: Final = frozenset({"无牌车", "无牌", "UNLICENSED"})
_TIME: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\+08:00)?", re.ASCII)


class Entry(NamedTuple):
    """A line that can be uploaded."""

    line: int
    record: AccessRecord


class Problem(NamedTuple):
    """What is wrong with a line, and what would be right; never what stands there."""

    line: int
    column: Column
    english: str
    chinese: str


class Entries(NamedTuple):
    """All lines of a file."""

    good: list[Entry]
    problems: list[Problem]


def entries(lines: Iterable[Line], lot_id: str) -> Entries:
    """The records of this lot that the lines tell, and the problems of the others.

    A record's id comes from the lot, the time, the direction and the place, and from how many lines above share these:
    the same file makes the same ids, and so does one that was continued. The plate is no part of it: whoever knows the
    rest could find it by trying. A plate that is corrected afterwards is therefore a conflict, not a second record.
    """
    good: list[Entry] = []
    problems: list[Problem] = []
    above: Counter[tuple[object, ...]] = Counter()
    first: dict[bytes, int] = {}
    for line in lines:
        reading = _Reading(line, lot_id)
        record, found = reading.record, reading.problems
        if not found and record.plate_number:
            before = first.setdefault(record.SerializeToString(deterministic=True), line.number)
            if before != line.number:
                reading.wrong(
                    Column.PLATE,
                    f"the same vehicle at the same time and place as in line {before}",
                    f"与第{before}行的车辆、时间、地点相同",
                )
        problems += found
        if not found:
            event = (record.event_time.seconds, record.direction, record.gate_id, record.lane_id, record.berth_id)
            record.record_id = _id(lot_id, *event, above[event])
            above[event] += 1
            good.append(Entry(line.number, record))
    return Entries(good, problems)


class _Reading:
    def __init__(self, line: Line, lot_id: str) -> None:
        self._line = line
        self.problems: list[Problem] = []
        self.record = AccessRecord(
            lot_id=lot_id,
            direction=self._word(Column.DIRECTION, DIRECTIONS),
            vehicle_class=self._word(Column.VEHICLE_CLASS, VEHICLE_CLASSES),
        )
        self._time()
        self._plate()
        self._place()

    def wrong(self, column: Column, english: str, chinese: str) -> None:
        self.problems.append(Problem(self._line.number, column, english, chinese))

    def _word(self, column: Column, words: Words) -> Any:
        found = words.value(self._line.cells[column])
        if found is None:
            self.wrong(column, f"must be one of {words.expected}", f"须为以下之一：{words.expected}")
        return found

    def _time(self) -> None:
        time_ms = _time_ms(self._line.cells[Column.TIME])
        if time_ms is None:
            example = "2026-03-14 08:30"
            self.wrong(Column.TIME, f"must be a Beijing time such as {example}", f"须为北京时间，如 {example}")
        else:
            self.record.event_time.FromMilliseconds(time_ms)

    def _plate(self) -> None:
        number, colour = (self._line.cells[column] for column in (Column.PLATE, Column.PLATE_COLOUR))
        if number and plate.normalise(number) not in _WITHOUT:
            if plate.parse(number) is None:
                self.wrong(
                    Column.PLATE,
                    "has the form of no plate; leave it empty when it could not be read",
                    "不符合任何号牌种类的格式；无法辨认时请留空",
                )
            self.record.plate_number = plate.normalise(number)
            self.record.plate_state = record_pb2.PLATE_STATE_READ
            if (colour_word := self._word(Column.PLATE_COLOUR, PLATE_COLOURS)) is not None:
                self.record.plate_colour = colour_word
            return
        self.record.plate_state = record_pb2.PLATE_STATE_UNLICENSED if number else record_pb2.PLATE_STATE_UNREAD
        if colour:
            self.wrong(Column.PLATE_COLOUR, "must be empty without a plate", "无号牌号码时须留空")

    def _place(self) -> None:
        gate, lane, berth = (self._line.cells[column] for column in (Column.GATE, Column.LANE, Column.BERTH))
        for column in (Column.GATE, Column.LANE, Column.BERTH):
            if len(self._line.cells[column]) > _LONGEST_PLACE:
                self.wrong(column, f"must have at most {_LONGEST_PLACE} characters", f"不得超过{_LONGEST_PLACE}个字符")
        if berth and (gate or lane):
            self.wrong(Column.BERTH, "must be empty beside a gate or lane", "与出入口、车道不得同时填写")
        elif not berth and not gate:
            self.wrong(Column.GATE, "is needed, or on the street the berth", "必填；路内停车填写泊位")
        elif gate and not lane:
            self.wrong(Column.LANE, "is needed with a gate (R5.2d)", "填写出入口时必填（R5.2d）")
        elif lane and not gate:
            self.wrong(Column.GATE, "is needed with a lane", "填写车道时必填")
        self.record.gate_id, self.record.lane_id, self.record.berth_id = gate, lane, berth


def _time_ms(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = match.groups(default="00")
    try:
        return beijing.parse(f"{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute}:{second}+08:00")
    except ValueError:
        return None


def _id(*facts: object) -> str:
    text = "\n".join((_VERSION, *map(str, facts)))
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]
