"""Division codes: any well-formed code is one, Putian's have names."""

import re

import pytest
from vocabulary import division


def test_putian() -> None:
    assert division.DISTRICTS == ("350302", "350303", "350304", "350305", "350322")
    names = [division.name(code) for code in division.DISTRICTS]
    assert names == ["城厢区", "涵江区", "荔城区", "秀屿区", "仙游县"]
    assert division.name(division.PUTIAN) == "莆田市"
    assert all(division.is_code(code) and division.in_putian(code) for code in division.NAMES)


@pytest.mark.parametrize("code", ["110101", "350200", "440305", "820000"])
def test_elsewhere(code: str) -> None:
    assert division.is_code(code)
    assert division.name(code) is None
    assert not division.in_putian(code)


@pytest.mark.parametrize("code", ["", "35030", "3503022", "160000", "990101", "35030a", "３50302", "350302\n"])
def test_no_code(code: str) -> None:
    assert not division.is_code(code)


def test_the_published_pattern_is_the_one_in_use() -> None:
    assert re.search(division.PATTERN, "350302")
    assert not re.search(division.PATTERN, "1350302")
