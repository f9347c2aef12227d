"""Division codes: any well-formed code is one, Putian's have names."""

import re

import pytest
from vocabulary import coordinate, division


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


def test_a_code_is_well_formed_when_its_province_exists() -> None:
    formed = {f"{prefix:02}" for prefix in range(100) if division.is_code(f"{prefix:02}0100")}
    assert formed == set(division.PROVINCES)
    assert len(division.PROVINCES) == 34


def test_names_of_provinces() -> None:
    assert division.province_name("350302") == "福建省"
    assert division.province_name("110101") == "北京市"
    assert division.province_name("820000") == "澳门特别行政区"
    assert division.province_name("990101") is None
    assert division.province_name("35") is None


def test_english_names() -> None:
    assert set(division.ENGLISH_NAMES) == set(division.NAMES)
    assert division.english_name("350304") == "Licheng District"
    assert division.english_name("440305") is None


@pytest.mark.parametrize(
    ("code", "latitude", "longitude"),
    [
        ("350302", 25.4337, 119.0010),
        ("350303", 25.4593, 119.1191),
        ("350304", 25.4300, 119.0151),
        ("350305", 25.3180, 119.1055),
        ("350305", 25.0640, 119.1230),  # 湄洲岛
        ("350305", 25.2080, 119.5000),  # 南日岛
        ("350322", 25.3560, 118.7010),
    ],
)
def test_a_division_holds_its_seat_and_its_islands(code: str, latitude: float, longitude: float) -> None:
    assert division.contains(code, latitude, longitude) is True
    assert division.contains(division.PUTIAN, latitude, longitude) is True


def test_boxes() -> None:
    assert set(division.BOXES) == set(division.NAMES)
    assert division.bounding_box(division.PUTIAN) == coordinate.PUTIAN
    for code in division.DISTRICTS:
        box = division.BOXES[code]
        assert coordinate.PUTIAN.contains(box.south, box.west)
        assert coordinate.PUTIAN.contains(box.north, box.east)
    assert division.contains("350322", 25.4337, 119.0010) is False
    assert division.contains("350300", 26.0745, 119.2965) is False
    assert division.bounding_box("350200") is None
    assert division.contains("350200", 24.48, 118.09) is None
