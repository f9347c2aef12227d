"""Beijing's days: every one once, with the plans that are known."""

import datetime

from access_records.writing.beijing_calendar import FIRST, LAST, plans, rows
from parkmesh.access.v1.calendar_row_pb2 import CalendarRow


def test_every_day_stands_there_once() -> None:
    days = [row.day for row in rows()]
    assert (days[0], days[-1]) == ("2020-01-01", "2035-12-31")
    assert len(days) == len(set(days)) == (LAST - FIRST).days + 1


def test_holidays_make_up_workdays_weekends_and_years_without_a_plan_are_told_apart() -> None:
    by_day = {row.day: row for row in rows()}

    def told(day: str) -> tuple[str, str, bool, bool, bool]:
        row = by_day[day]
        return row.day_type, row.holiday, row.is_workday, row.is_weekend, row.planned

    assert told("2026-02-17") == ("holiday", "春节", False, False, True)
    assert told("2026-02-21") == ("holiday", "春节", False, True, True)
    assert told("2026-09-20") == ("makeup", "国庆节", True, True, True)
    assert told("2026-02-24") == ("workday", "", True, False, True)
    assert told("2026-02-07") == ("weekend", "", False, True, True)
    assert told("2035-10-01") == ("workday", "", True, False, False)


def test_weeks_are_those_of_iso_8601() -> None:
    first = next(row for row in rows() if row.day == "2027-01-01")
    assert first == CalendarRow(
        day="2027-01-01",
        year=2027,
        month=1,
        iso_year=2026,
        iso_week=53,
        weekday=5,
        is_workday=True,
        day_type="workday",
        plan_year=max(day.year for day in plans()),
    )


def test_only_weekend_days_are_made_up_for_and_every_plan_names_a_holiday() -> None:
    for day, plan in plans().items():
        assert plan.day_type in ("holiday", "makeup")
        assert plan.holiday
        assert plan.day_type == "holiday" or day.isoweekday() > 5, day


def test_each_year_that_is_planned_has_its_statutory_holidays() -> None:
    """The law fixes these by their dates (全国年节及纪念日放假办法): a plan that lacks one was typed in wrongly."""
    years = {day.year for day in plans()}
    for year in years:
        for month, day, name in ((1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节"), (10, 2, "国庆节")):
            assert name in plans()[datetime.date(year, month, day)].holiday
    assert years == set(range(2020, max(years) + 1))
