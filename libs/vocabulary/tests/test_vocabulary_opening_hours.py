"""Opening hours: against a plain set of minutes, across midnight and the end of the week."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary import beijing
from vocabulary.opening_hours import (
    DAY,
    WEEK,
    OpeningHoursRule,
    Overlap,
    Period,
    checked,
    is_open,
    is_open_at,
    minutes_per_week,
    overlaps,
)
from vocabulary.refusal import Refusal

EVERY_DAY = frozenset(range(1, 8))
WORKDAYS = frozenset(range(1, 6))
PERIODS = st.builds(Period, st.frozensets(st.integers(1, 7), min_size=1), st.integers(0, DAY - 1), st.integers(1, DAY))


def minutes(period: Period) -> set[int]:
    """The minutes of the week, counted one by one."""
    length = period.close_minute - period.open_minute
    length += DAY if length <= 0 else 0
    starts = [(day - 1) * DAY + period.open_minute for day in period.weekdays]
    return {(start + passed) % WEEK for start in starts for passed in range(length)}


@settings(deadline=None)
@given(st.lists(PERIODS, max_size=4), st.integers(0, WEEK - 1))
def test_open_and_total_are_what_counting_says(periods: list[Period], moment: int) -> None:
    counted = set().union(*map(minutes, periods))
    assert is_open(periods, moment // DAY + 1, moment % DAY) is (moment in counted)
    assert minutes_per_week(periods) == len(counted)


@settings(deadline=None)
@given(st.lists(PERIODS, max_size=4))
def test_overlaps_are_what_counting_says(periods: list[Period]) -> None:
    expected = {}
    for first, one in enumerate(periods):
        for second in range(first + 1, len(periods)):
            shared = minutes(one) & minutes(periods[second])
            if shared:
                expected[first, second] = min(shared)
    found = overlaps(periods)
    assert {(each.first, each.second): (each.weekday - 1) * DAY + each.minute for each in found} == expected
    if found:
        with pytest.raises(Refusal) as refusal:
            checked(periods)
        assert refusal.value.rule is OpeningHoursRule.OVERLAP
    else:
        assert checked(periods) == tuple(periods)


@given(PERIODS)
def test_a_period_lasts_a_day_at_most_and_never_meets_itself(period: Period) -> None:
    assert 1 <= period.minutes <= DAY
    assert minutes_per_week([period]) == period.minutes * len(period.weekdays)
    assert not overlaps([period])


@pytest.mark.parametrize(
    ("period", "total"),
    [
        (Period(EVERY_DAY, 0, 1440), WEEK),
        (Period(EVERY_DAY, 480, 480), WEEK),
        (Period(WORKDAYS, 450, 1290), 5 * 840),
        (Period(frozenset({7}), 1320, 360), 480),
        (Period(frozenset({1}), 1439, 1440), 1),
    ],
)
def test_totals(period: Period, total: int) -> None:
    assert minutes_per_week([period]) == total


def test_sunday_night_reaches_into_monday() -> None:
    night = Period(frozenset({7}), 1320, 360)
    assert is_open([night], 7, 1320)
    assert is_open([night], 1, 359)
    assert not is_open([night], 1, 360)
    assert not is_open([night], 7, 359)
    assert overlaps([night, Period(frozenset({1}), 300, 600)]) == (Overlap(0, 1, 1, 300),)


def test_touching_is_no_overlap() -> None:
    assert checked([Period(EVERY_DAY, 0, 720), Period(EVERY_DAY, 720, 1440)])
    assert checked([Period(frozenset({1}), 1320, 360), Period(frozenset({2}), 360, 720)])


def test_the_overlap_names_both_periods_and_the_minute() -> None:
    hours = [Period(WORKDAYS, 450, 720), Period(frozenset({5}), 1320, 360), Period(frozenset({6}), 345, 720)]
    with pytest.raises(Refusal) as refusal:
        checked(hours)
    assert refusal.value.facts == {"first": 1, "second": 2, "weekday": 6, "hour": 5, "minute": 45}
    assert "periods 1 and 2" in refusal.value.english
    assert "05:45" in refusal.value.english
    assert "第1与第2个时段" in refusal.value.chinese


def test_by_instant() -> None:
    day = Period(frozenset({5}), 480, 1080)  # 2100-01-01 is a Friday
    assert is_open_at([day], beijing.parse("2100-01-01T08:00:00+08:00"))
    assert is_open_at([day], beijing.parse("2100-01-01T17:59:59.999+08:00"))
    assert not is_open_at([day], beijing.parse("2100-01-01T18:00:00+08:00"))
    assert not is_open_at([day], beijing.parse("2100-01-01T08:00:00Z") + 2 * beijing.HOUR_MS)


def test_no_periods_never_open() -> None:
    assert not is_open([], 1, 0)
    assert minutes_per_week([]) == 0


@pytest.mark.parametrize(
    ("weekdays", "opens", "closes", "rule"),
    [
        (frozenset(), 0, 1, OpeningHoursRule.WEEKDAYS),
        (frozenset({0}), 0, 1, OpeningHoursRule.WEEKDAYS),
        (frozenset({1, 8}), 0, 1, OpeningHoursRule.WEEKDAYS),
        (WORKDAYS, -1, 1, OpeningHoursRule.OPEN),
        (WORKDAYS, 1440, 1, OpeningHoursRule.OPEN),
        (WORKDAYS, 0, 0, OpeningHoursRule.CLOSE),
        (WORKDAYS, 0, 1441, OpeningHoursRule.CLOSE),
    ],
)
def test_no_period(weekdays: frozenset[int], opens: int, closes: int, rule: OpeningHoursRule) -> None:
    with pytest.raises(Refusal) as refusal:
        Period(weekdays, opens, closes)
    assert refusal.value.rule is rule


@pytest.mark.parametrize(("weekday", "minute"), [(0, 0), (8, 0), (1, -1), (1, 1440)])
def test_no_moment(weekday: int, minute: int) -> None:
    with pytest.raises(ValueError, match="weekday from 1 to 7"):
        is_open([], weekday, minute)
