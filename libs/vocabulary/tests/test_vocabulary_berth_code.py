"""The canonical berth code: there and back, published check digits, and the slips that are caught."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary import division
from vocabulary.berth_code import BerthCategory, BerthCode, BerthCodeRule, check_digit, parse
from vocabulary.refusal import Refusal

CODES = st.builds(
    BerthCode,
    st.sampled_from([*division.DISTRICTS, "110101", "440305"]),
    st.from_regex(r"\A[0-9]{3}\Z"),
    st.sampled_from(BerthCategory),
    st.integers(0, 9999),
    st.integers(0, 9999),
)


def refused(text: str) -> BerthCodeRule:
    with pytest.raises(Refusal) as found:
        parse(text)
    rule = found.value.rule
    assert isinstance(rule, BerthCodeRule)
    return rule


@given(CODES)
def test_there_and_back(code: BerthCode) -> None:
    assert len(code.text) == 19
    assert parse(code.text) == code


def test_the_layout() -> None:
    assert BerthCode("350302", "001", BerthCategory.ROAD, 12, 7).text == "350302001400120007" + check_digit(
        "350302001400120007"
    )


@pytest.mark.parametrize(
    "number",
    [
        "07945",  # the standard's own example
        "86095742719",  # a German tax number
        "69435151530",  # a Croatian OIB
    ],
)
def test_published_numbers(number: str) -> None:
    assert check_digit(number[:-1]) == number[-1]


@settings(deadline=None)
@given(CODES)
def test_every_wrong_digit_is_refused(code: BerthCode) -> None:
    text = code.text
    for at, right in enumerate(text):
        for other in set("0123456789") - {right}:
            assert refused(text[:at] + other + text[at + 1 :]) is BerthCodeRule.CHECK


def test_98_of_100_swaps_of_neighbours_are_refused() -> None:
    swaps = missed = 0
    for number in range(10_000):
        text = f"{number:04}"
        text += check_digit(text)
        for at in range(4):
            if text[at] != text[at + 1]:
                swap = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
                swaps += 1
                missed += check_digit(swap[:-1]) == swap[-1]
    assert 0 < missed / swaps < 0.025


@pytest.mark.parametrize("text", ["", "3503020014001200", "350302001400120007" * 2, "35030200140012000A", "３" * 19])
def test_no_code(text: str) -> None:
    assert refused(text) is BerthCodeRule.FORM


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("350302001500120007", BerthCodeRule.CATEGORY),
        ("350302001000120007", BerthCodeRule.CATEGORY),
        ("350300001400120007", BerthCodeRule.COUNTY),
        ("990302001400120007", BerthCodeRule.COUNTY),
    ],
)
def test_parts_that_do_not_exist(body: str, rule: BerthCodeRule) -> None:
    assert refused(body + check_digit(body)) is rule


@pytest.mark.parametrize(
    ("street", "place", "berth", "rule"),
    [
        ("01", 0, 0, BerthCodeRule.STREET),
        ("00a", 0, 0, BerthCodeRule.STREET),
        ("001", -1, 0, BerthCodeRule.PLACE),
        ("001", 10000, 0, BerthCodeRule.PLACE),
        ("001", 0, 10000, BerthCodeRule.BERTH),
    ],
)
def test_parts_that_do_not_fit(street: str, place: int, berth: int, rule: BerthCodeRule) -> None:
    with pytest.raises(Refusal) as found:
        BerthCode("350302", street, BerthCategory.PUBLIC, place, berth)
    assert found.value.rule is rule


@pytest.mark.parametrize("body", ["", "a", "1 2", "１"])
def test_no_check_digit(body: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        check_digit(body)
