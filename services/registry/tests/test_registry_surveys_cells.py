"""What the texts of a census stand for, and the page that says so."""

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mesh import validation
from parkmesh.registry.v1.gate_pb2 import LANE_DIRECTION_BOTH, LANE_DIRECTION_ENTRY, LANE_DIRECTION_EXIT
from parkmesh.registry.v1.lot_pb2 import BERTH_CLASS_CHARGING_FAST, BERTH_CLASS_SMALL
from registry.forms import table
from registry.forms.testing import HeldFacts
from registry.storage.kinds import LOT
from registry.surveys import cells, layout, words
from registry.surveys.column import Column
from registry.surveys.columns import SUBJECTS
from registry.surveys.draft import drafts
from registry.surveys.sheet import Line
from registry.surveys.words import Words
from vocabulary.refusal import Refusal

ROOT = pathlib.Path(__file__).parents[3]
WORDS = [value for value in vars(words).values() if isinstance(value, Words)]
COLUMNS = [(subject.kind, column) for subject in SUBJECTS.values() for column in subject.columns]


@pytest.mark.parametrize("known", WORDS, ids=lambda known: known.all[0])
def test_every_word_stands_for_its_value_however_it_is_written(known: Words) -> None:
    for word in known.all:
        assert known.word(cells.word(f" {word.lower()} ", known)) == word
    with pytest.raises(Refusal) as refused:
        cells.word("别的", known)
    assert known.all[0] in refused.value.chinese


def test_proto_names_are_words() -> None:
    assert words.LOT_TYPES.number("LOT_TYPE_ON_STREET") == words.LOT_TYPES.number("on street") == 4
    assert words.COORDINATE_SYSTEMS.number("wgs84") == words.COORDINATE_SYSTEMS.number("WGS-84") == 2


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("120", 120), ("120.0", 120), ("１２０", 120), ("000000120", 120)]
)
def test_whole_numbers(text: str, number: int) -> None:
    assert cells.number(text) == number


@pytest.mark.parametrize("text", ["-1", "1.5", "1,200", "120个", "1e3", "1234567890", "٣"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(Refusal):
        cells.number(text)


@given(st.floats(-180, 180))
def test_degrees_lose_nothing(value: float) -> None:
    if "e" in (text := repr(value)):
        with pytest.raises(Refusal):
            cells.degrees(text)
    else:
        assert cells.degrees(text) == value


@pytest.mark.parametrize("text", ["25°26′", "25,43", "1e1", "nan", "inf", "2500", "北纬25"])
def test_what_are_no_degrees(text: str) -> None:
    with pytest.raises(Refusal):
        cells.degrees(text)


@pytest.mark.parametrize(
    ("text", "value"), [("是", True), ("否", False), ("Yes", True), ("TRUE", True), ("false", False)]
)
def test_yes_and_no(text: str, value: bool) -> None:
    assert cells.yes_no(text) is value


def test_lanes_as_people_write_them() -> None:
    expected = [("1", LANE_DIRECTION_ENTRY), ("2", LANE_DIRECTION_EXIT), ("x-3", LANE_DIRECTION_BOTH)]
    for text in ("1:入,2:出,x-3:双向", "1：入口，2：出口；x-3：双向", "1=ENTRY、2=exit\nx-3=Both"):
        assert [(lane.lane_id, lane.direction) for lane in cells.lanes(text)] == expected


def test_berths_by_class() -> None:
    found = [(count.berth_class, count.built, count.open) for count in cells.berths("小型车：120/100，快充: 10")]
    assert found == [(BERTH_CLASS_SMALL, 120, 100), (BERTH_CLASS_CHARGING_FAST, 10, 10)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全天", [((), "00:00", "24:00")]),
        ("24小时", [((), "00:00", "24:00")]),
        ("8:00-22:00", [((), "08:00", "22:00")]),
        ("22:00－次日06:00", [((), "22:00", "06:00")]),
        ("00:00-00:00", [((), "00:00", "24:00")]),
        ("每天 08:00～12:00，14:00～18:00", [((), "08:00", "12:00"), ((), "14:00", "18:00")]),
        ("周一至周五 07:30-22:00；周六、周日 全天", [((1, 2, 3, 4, 5), "07:30", "22:00"), ((6, 7), "00:00", "24:00")]),
        ("星期六到星期一:09:00-18:00", [((1, 6, 7), "09:00", "18:00")]),
        ("Mon-Wed, Fri 09:00-18:00", [((1, 2, 3, 5), "09:00", "18:00")]),
    ],
)
def test_opening_hours_as_people_write_them(text: str, expected: list[Any]) -> None:
    assert [(tuple(p.weekdays), p.opens, p.closes) for p in cells.opening_hours(text)] == expected


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (cells.lanes, ["1", "1:上", ":入", "入口"]),
        (cells.berths, ["120", "小型车", "小型车:120/", "飞机:1", "小型车:-1"]),
        (cells.opening_hours, [";", "早到晚", "周八 08:00-22:00", "8-22", "周一", "08:00-22:00 周一"]),
        (cells.restrictions, ["禁止飞机", "禁止大型车,无"]),
    ],
)
def test_lists_that_cannot_be_read(read: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(Refusal):
            list(read(text))


@pytest.mark.parametrize(("kind", "column"), COLUMNS, ids=lambda value: getattr(value, "name", ""))
async def test_every_example_is_what_its_column_takes(kind: Any, column: Column) -> None:
    subject = next(subject for subject in SUBJECTS.values() if subject.kind is kind)
    shape = layout.of([column.name for column in subject.columns], subject.columns)
    (draft,) = drafts(kind, shape, [Line(2, tuple(column.example for column in subject.columns))])
    assert not draft.violations
    assert validation.violations(draft.message) == []
    assert column.put is None or column.field.partition(".")[0] in draft.stated
    if kind is LOT:
        assert await table.examine(kind, draft.message, HeldFacts(), "lot") == []


@pytest.mark.parametrize(("kind", "column"), COLUMNS, ids=lambda value: getattr(value, "name", ""))
def test_every_column_is_about_a_field(kind: Any, column: Column) -> None:
    message = kind.message.DESCRIPTOR
    for name in column.field.split("."):
        field = message.fields_by_name[name]
        message = field.message_type
    assert column.english_text
    assert any(character >= "\u4e00" for character in column.chinese_text)


def test_the_page_is_what_the_table_says() -> None:
    spec = importlib.util.spec_from_file_location("generate_surveys", ROOT / "docs" / "generate_surveys.py")
    assert spec
    assert spec.loader
    docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(docs)
    assert docs.PAGE.read_text() == docs.render()
    for _, column in COLUMNS:
        assert f"| {column.chinese}<br>`{column.name}` |" in docs.render()
