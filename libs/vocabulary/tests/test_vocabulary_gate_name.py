"""Gate names: there and back, Chinese numbers, and what each broken name lacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.gate_name import MAX_ORDINAL, GateDirection, GateName, GateNameRule, numeral, parse
from vocabulary.refusal import Refusal

ROADS = st.from_regex(
    r"\A[文献荔城涵江学园八一三十第号路街巷口出入进A-Z0-9()（）·-]{0,20}(路|街|大道|巷|里|号|口|北段|国道|\))\Z"
).filter(lambda road: road not in {"路", "街", "大道", "巷"})


def refused(raw: str) -> GateNameRule:
    with pytest.raises(Refusal) as found:
        parse(raw)
    rule = found.value.rule
    assert isinstance(rule, GateNameRule)
    return rule


@given(ROADS, st.integers(1, MAX_ORDINAL), st.sampled_from(GateDirection))
def test_there_and_back(road: str, ordinal: int, direction: GateDirection) -> None:
    name = GateName(road, ordinal, direction)
    assert parse(name.text) == name
    assert parse(" ".join(name.text)) == name


@pytest.mark.parametrize(
    ("text", "road", "ordinal", "direction"),
    [
        ("文献路一号入口", "文献路", 1, GateDirection.ENTRY),
        ("XX路二号出口", "XX路", 2, GateDirection.EXIT),
        ("荔城大道十号出入口", "荔城大道", 10, GateDirection.BOTH),
        ("八一路十一号入口", "八一路", 11, GateDirection.ENTRY),
        ("学园街二十号出口", "学园街", 20, GateDirection.EXIT),
        ("324国道二十一号入口", "324国道", 21, GateDirection.ENTRY),
        ("延寿路（北段）九十九号入口", "延寿路（北段）", 99, GateDirection.ENTRY),
        ("隧道出口路一号入口", "隧道出口路", 1, GateDirection.ENTRY),
    ],
)
def test_names(text: str, road: str, ordinal: int, direction: GateDirection) -> None:
    assert parse(text) == GateName(road, ordinal, direction)
    assert parse(text).text == text


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("", GateNameRule.DIRECTION),
        ("文献路", GateNameRule.DIRECTION),
        ("文献路一号", GateNameRule.DIRECTION),
        ("文献路一号进口", GateNameRule.DIRECTION),
        ("文献路一号进出口", GateNameRule.DIRECTION),
        ("文献路一号入出口", GateNameRule.DIRECTION),
        ("文献路一号入口处", GateNameRule.DIRECTION),
        ("文献路入口", GateNameRule.ORDINAL_MISSING),
        ("文献路号入口", GateNameRule.ORDINAL),
        ("文献路一入口", GateNameRule.ORDINAL),
        ("文献路1号入口", GateNameRule.ORDINAL),
        ("文献路１号入口", GateNameRule.ORDINAL),
        ("文献路一十号入口", GateNameRule.ORDINAL),
        ("文献路二一号入口", GateNameRule.ORDINAL),
        ("文献路二十零号入口", GateNameRule.ORDINAL),
        ("文献路零号入口", GateNameRule.ORDINAL),
        ("文献路一百号入口", GateNameRule.ORDINAL),
        ("文献路第一号入口", GateNameRule.ORDINAL),
        ("文献路两号入口", GateNameRule.ORDINAL),
        ("一号入口", GateNameRule.ROAD),
        ("入口", GateNameRule.ROAD),
        ("号入口", GateNameRule.ROAD),
        ("路一号入口", GateNameRule.ROAD),
        ("大道一号入口", GateNameRule.ROAD),
        ("文献_路一号入口", GateNameRule.ROAD),
        ("文献路," + "一号入口", GateNameRule.ROAD),
        ("长" * 31 + "一号入口", GateNameRule.ROAD),
        ("长" * 3000 + "一号入口", GateNameRule.ROAD),
    ],
)
def test_what_is_wrong(raw: str, rule: GateNameRule) -> None:
    assert refused(raw) is rule


@pytest.mark.parametrize(
    ("road", "ordinal", "rule"),
    [
        ("", 1, GateNameRule.ROAD),
        ("文献路二", 1, GateNameRule.ROAD),
        ("文献路 ", 1, GateNameRule.ROAD),
        ("文献路", 0, GateNameRule.ORDINAL),
        ("文献路", 100, GateNameRule.ORDINAL),
    ],
)
def test_parts_that_make_no_name(road: str, ordinal: int, rule: GateNameRule) -> None:
    with pytest.raises(Refusal) as found:
        GateName(road, ordinal, GateDirection.ENTRY)
    assert found.value.rule is rule


def test_numerals() -> None:
    written = {1: "一", 9: "九", 10: "十", 11: "十一", 19: "十九", 20: "二十", 21: "二十一", 90: "九十", 99: "九十九"}
    assert {ordinal: numeral(ordinal) for ordinal in written} == written
    assert len({numeral(ordinal) for ordinal in range(1, 100)}) == 99
    for outside in (0, 100, -1):
        with pytest.raises(ValueError, match="1 to 99"):
            numeral(outside)


@given(st.text(alphabet="文献路第一二十号进出入口1", max_size=16) | st.text(max_size=16))
def test_any_text_is_a_name_or_refused(raw: str) -> None:
    try:
        name = parse(raw)
    except Refusal:
        return
    assert name.text == "".join(raw.split())
