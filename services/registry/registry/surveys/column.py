"""A column of a census: what it is called, how its cells are written, and those that several subjects share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from parkmesh.registry.v1.berth_pb2 import AliasType

from registry.surveys import cells, words
from registry.surveys.words import Words

Put = Callable[[Any, str], None]
"""Puts what a cell says into a message; `Refusal` when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is called, what it says of an object, and how that is written."""

    name: str
    """The English heading, as JSON names the field where it is one."""
    chinese: str
    """The Chinese heading."""
    field: str
    """The field that it is about, by the proto's names: `coordinate.latitude`."""
    put: Put | None
    """None for what names another object, which is looked up."""
    english_text: str
    """What belongs into it, in English."""
    chinese_text: str
    """The same in Chinese."""
    example: str
    synonyms: tuple[str, ...] = ()
    """Other headings that mean the same."""
    needed: bool = False
    """Whether a new object cannot do without it."""
    identifies: bool = False
    """Whether it tells which object a row is about."""


def text(field: str) -> Put:
    """Puts the cell into a text field as it stands."""

    def put(message: Any, text: str) -> None:
        setattr(message, field, text)

    return put


def number(field: str) -> Put:
    """Puts a whole number into a field."""

    def put(message: Any, text: str) -> None:
        setattr(message, field, cells.number(text))

    return put


def word(field: str, known: Words) -> Put:
    """Puts the value of a word into an enum field."""

    def put(message: Any, text: str) -> None:
        setattr(message, field, cells.word(text, known))

    return put


def yes_no(field: str) -> Put:
    """Puts yes or no into a field."""

    def put(message: Any, text: str) -> None:
        setattr(message, field, cells.yes_no(text))

    return put


def entries(field: str, read: Callable[[str], Any]) -> Put:
    """Puts what is read of the cell into a list field."""

    def put(message: Any, text: str) -> None:
        getattr(message, field).extend(read(text))

    return put


def degrees(field: str) -> Put:
    """Puts degrees into the coordinate."""

    def put(message: Any, text: str) -> None:
        setattr(message.coordinate, field, cells.degrees(text))

    return put


def _system(message: Any, text: str) -> None:
    message.coordinate.system = cells.word(text, words.COORDINATE_SYSTEMS)


def alias(alias_type: AliasType.ValueType) -> Put:
    """Puts another name into a berth."""

    def put(message: Any, text: str) -> None:
        message.aliases.append(cells.alias(text, alias_type))

    return put


def one_of(known: Words) -> str:
    """The words of an enum, for people."""
    return "、".join(known.all)


LOT_NUMBER: Final = Column(
    "registrationNumber",
    "停车场登记编号",
    "lot_id",
    None,
    "The registration number of the lot",
    "所属停车场的登记编号",
    "PT-0001",
    ("登记编号", "备案编号", "lotRegistrationNumber"),
    needed=True,
    identifies=True,
)
ADDRESS: Final = Column(
    "address", "地址", "address", text("address"), "The address", "详细地址", "文献路1号", ("详细地址",)
)
PLACE: Final = (
    Column(
        "latitude",
        "纬度",
        "coordinate.latitude",
        degrees("latitude"),
        "Decimal degrees; with longitude and system",
        "十进制度数；须同时填写经度和坐标系",
        "25.431028",
        ("lat",),
    ),
    Column(
        "longitude",
        "经度",
        "coordinate.longitude",
        degrees("longitude"),
        "Decimal degrees",
        "十进制度数",
        "119.007558",
        ("lon", "lng"),
    ),
    Column(
        "coordinateSystem",
        "坐标系",
        "coordinate.system",
        _system,
        f"One of {one_of(words.COORDINATE_SYSTEMS)}; counts only with latitude or longitude",
        f"{one_of(words.COORDINATE_SYSTEMS)}之一；未填经纬度时忽略",
        "GCJ-02",
        ("坐标系统", "坐标类型"),
    ),
)
STATE: Final = Column(
    "state",
    "使用状态",
    "state",
    word("state", words.SERVICE_STATES),
    f"One of {one_of(words.SERVICE_STATES)}",
    f"{one_of(words.SERVICE_STATES)}之一",
    "在用",
    ("状态",),
)
