"""Beijing time: bounds, keys and texts agree with the calendar, whatever the time zone of the machine."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import beijing

NEW_YEAR_2100 = 4102416000000  # 2100-01-01T00:00:00+08:00
INSTANTS = st.integers(-62135596800000, 253402271999999)


def test_new_year() -> None:
    assert beijing.text(NEW_YEAR_2100) == "2100-01-01T00:00:00.000+08:00"
    assert beijing.day_key(NEW_YEAR_2100) == "2100-01-01"
    assert beijing.day_key(NEW_YEAR_2100 - 1) == "2099-12-31"
    assert beijing.month(NEW_YEAR_2100) == 210001
    assert beijing.month(NEW_YEAR_2100 - 1) == 209912
    assert beijing.day_bounds(NEW_YEAR_2100) == (NEW_YEAR_2100, NEW_YEAR_2100 + 86_400_000)
    assert beijing.day_bounds(NEW_YEAR_2100 - 1) == (NEW_YEAR_2100 - 86_400_000, NEW_YEAR_2100)
    assert beijing.day_bounds_of("2100-01-01") == beijing.day_bounds(NEW_YEAR_2100)


@given(INSTANTS)
def test_every_view_of_an_instant_agrees(epoch_ms: int) -> None:
    moment = beijing.moment(epoch_ms)
    assert beijing.parse(beijing.text(epoch_ms)) == epoch_ms
    assert beijing.day_key(epoch_ms) == moment.date().isoformat()
    assert beijing.month(epoch_ms) == moment.year * 100 + moment.month
    assert beijing.day_bounds_of(beijing.day_key(epoch_ms)) == beijing.day_bounds(epoch_ms)
    for bounds, length in (
        (beijing.minute_bounds(epoch_ms), 60_000),
        (beijing.hour_bounds(epoch_ms), 3_600_000),
        (beijing.day_bounds(epoch_ms), 86_400_000),
    ):
        assert bounds.start_ms <= epoch_ms < bounds.end_ms
        assert bounds.end_ms - bounds.start_ms == length
        assert (bounds.start_ms + 28_800_000) % length == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2100-01-01T00:00:00+08:00", NEW_YEAR_2100),
        ("2099-12-31T16:00:00Z", NEW_YEAR_2100),
        ("2099-12-31t16:00:00.000z", NEW_YEAR_2100),
        ("2099-12-31T11:00:00.1-05:00", NEW_YEAR_2100 + 100),
        ("2100-01-01T00:00:00.123999999+08:00", NEW_YEAR_2100 + 123),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_parse(text: str, expected: int) -> None:
    assert beijing.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2100-01-01T00:00:00",
        "2100-01-01",
        "2100-01-01 00:00:00+08:00",
        "2100-01-01T00:00+08:00",
        "2100-01-01T00:00:00+0800",
        "2100-01-01T00:00:00.+08:00",
        "2100-01-01T00:00:60Z",
        "2100-01-01T24:00:00Z",
        "2100-02-29T00:00:00Z",
        "2100-01-01T00:00:00+24:00",
        "２100-01-01T00:00:00Z",
        "2100-01-01T00:00:00Z\n",
        "",
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        beijing.parse(text)


@pytest.mark.parametrize("key", ["20991231", "2099-W01-1", "2100-02-29", ""])
def test_no_such_day(key: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        beijing.day_bounds_of(key)


@pytest.mark.parametrize("epoch_ms", [10**15, -(10**15), 10**30, -(10**30)])
def test_outside_the_calendar(epoch_ms: int) -> None:
    for view in (beijing.moment, beijing.text, beijing.day_key, beijing.month):
        with pytest.raises(ValueError, match="years 1 to 9999"):
            view(epoch_ms)


def test_moment_is_exact_and_aware() -> None:
    moment = beijing.moment(NEW_YEAR_2100 + 1)
    assert moment == datetime(2099, 12, 31, 16, 0, 0, 1000, tzinfo=UTC)
    assert moment.utcoffset() == beijing.BEIJING.utcoffset(None)


def test_beijing_time_marked_utc() -> None:
    eight_hours = 8 * 3_600_000
    assert beijing.looks_like_beijing_marked_utc(eight_hours - 60_000, 60_000)
    assert beijing.looks_like_beijing_marked_utc(eight_hours + 60_000, 60_000)
    assert not beijing.looks_like_beijing_marked_utc(eight_hours + 60_001, 60_000)
    assert not beijing.looks_like_beijing_marked_utc(-eight_hours, 60_000)
    assert not beijing.looks_like_beijing_marked_utc(0, 60_000)
