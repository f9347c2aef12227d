"""The columns of a collector's file and the words in them, English and Chinese."""

import unicodedata
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from parkmesh.access.v1 import record_pb2


def folded(text: str) -> str:
    """The text without what makes no difference in a heading or a word: width, case, blanks, `_` and `-`."""
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in narrow if not (character.isspace() or character in "_-"))


class Column(Enum):
    """A column by its English name."""

    TIME = "time"
    """When, in Beijing time, to the minute or the second."""
    DIRECTION = "direction"
    """In or out."""
    PLATE = "plate"
    """Empty when it could not be read; 无牌车 for a vehicle without one."""
    PLATE_COLOUR = "plate colour"
    """Needed with a plate."""
    VEHICLE_CLASS = "vehicle class"
    GATE = "gate"
    """With the lane; on the street the berth instead."""
    LANE = "lane"
    BERTH = "berth"

    @property
    def title(self) -> str:
        """What messages call it, in both languages."""
        return f"{self.value} {_HEADINGS[self][0]}"


REQUIRED: Final = (Column.TIME, Column.DIRECTION, Column.PLATE, Column.PLATE_COLOUR, Column.VEHICLE_CLASS)

# The first one is the one that messages use.
_HEADINGS: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.TIME: ("时间", "进出时间"),
    Column.DIRECTION: ("方向", "进出方向", "进出"),
    Column.PLATE: ("号牌", "号牌号码", "车牌", "车牌号", "plate number"),
    Column.PLATE_COLOUR: ("号牌颜色", "车牌颜色", "plate color"),
    Column.VEHICLE_CLASS: ("车辆类型", "车型"),
    Column.GATE: ("出入口", "出入口编号"),
    Column.LANE: ("车道", "车道编号"),
    Column.BERTH: ("泊位", "泊位编号"),
}
_COLUMNS: Final = {folded(name): each for each in Column for name in (each.value, *_HEADINGS[each])}


def column(heading: str) -> Column | None:
    """The column that a heading names; None for one that is not read."""
    return _COLUMNS.get(folded(heading))


class Words:
    """The words that stand for the values of one enum."""

    def __init__(self, words: Mapping[int, tuple[str, ...]]) -> None:
        self._values = {folded(word): value for value, each in words.items() for word in each}
        self.expected: Final = ", ".join("/".join(each[:2]) for each in words.values())
        """All values, for messages: `entry/入, exit/出`."""

    def value(self, word: str) -> Any:
        """The value that the word stands for; None when it is no word of this enum."""
        return self._values.get(folded(word))


DIRECTIONS: Final = Words(
    {
        record_pb2.DIRECTION_ENTRY: ("entry", "入", "进", "入场", "进场", "in"),
        record_pb2.DIRECTION_EXIT: ("exit", "出", "出场", "离场", "out"),
    }
)
PLATE_COLOURS: Final = Words(
    {
        record_pb2.PLATE_COLOUR_BLUE: ("blue", "蓝", "蓝色", "蓝牌"),
        record_pb2.PLATE_COLOUR_YELLOW: ("yellow", "黄", "黄色", "黄牌"),
        record_pb2.PLATE_COLOUR_BLACK: ("black", "黑", "黑色", "黑牌"),
        record_pb2.PLATE_COLOUR_WHITE: ("white", "白", "白色", "白牌"),
        record_pb2.PLATE_COLOUR_GREEN: ("green", "绿", "绿色", "绿牌"),
        record_pb2.PLATE_COLOUR_GRADIENT_GREEN: ("gradient green", "渐变绿", "渐变绿色"),
        record_pb2.PLATE_COLOUR_YELLOW_GREEN: ("yellow green", "黄绿", "黄绿双拼", "黄绿双拼色"),
        record_pb2.PLATE_COLOUR_OTHER: ("other", "其他"),
    }
)
VEHICLE_CLASSES: Final = Words(
    {
        record_pb2.VEHICLE_CLASS_SMALL: ("small", "小型车", "小型", "小车"),
        record_pb2.VEHICLE_CLASS_MEDIUM: ("medium", "中型车", "中型"),
        record_pb2.VEHICLE_CLASS_LARGE: ("large", "大型车", "大型", "大车"),
        record_pb2.VEHICLE_CLASS_MOTORCYCLE: ("motorcycle", "摩托车", "摩托"),
        record_pb2.VEHICLE_CLASS_NON_MOTOR: ("non-motor", "非机动车"),
        record_pb2.VEHICLE_CLASS_OTHER: ("other", "其他"),
    }
)
