"""Beijing's days for analysts: weekdays, weeks, and which days are worked.

The plans are those of the State Council's yearly notices on public holidays (国务院办公厅关于部分节假日安排的通知), in
holidays.csv: each holiday with all its days, and the weekend days that are worked in exchange. A year is added when its
notice is out; of years without one only weekends are known, and the rows say so.
"""

import csv
import datetime
import importlib.resources
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from history.client import HistoryClient
from history.writer import BatchWriter
from parkmesh.access.v1 import calendar_row_pb2

from access_records import tables

FIRST: Final = datetime.date(2020, 1, 1)
"""The first day."""
LAST: Final = datetime.date(2035, 12, 31)
"""The last day."""

_DAY: Final = datetime.timedelta(days=1)
_SATURDAY: Final = 6


class Plan(NamedTuple):
    """What a notice says of a day."""

    day_type: str
    """`holiday`, or `makeup` for a weekend day that is worked."""
    holiday: str


@cache
def plans() -> dict[datetime.date, Plan]:
    """The days that notices name."""
    text = importlib.resources.files("access_records.writing").joinpath("holidays.csv").read_text(encoding="utf-8")
    found: dict[datetime.date, Plan] = {}
    for line in csv.DictReader(text.splitlines()):
        first, last = (datetime.date.fromisoformat(line[edge]) for edge in ("from", "to"))
        found.update(dict.fromkeys(_days(first, last), Plan(line["day_type"], line["holiday"])))
    return found


def rows() -> Iterator[calendar_row_pb2.CalendarRow]:
    """Every day from FIRST to LAST."""
    known = plans()
    years = {day.year for day in known}
    for day in _days(FIRST, LAST):
        iso = day.isocalendar()
        weekend = iso.weekday >= _SATURDAY
        plan = known.get(day, Plan("weekend" if weekend else "workday", ""))
        yield calendar_row_pb2.CalendarRow(
            day=day.isoformat(),
            year=day.year,
            month=day.month,
            iso_year=iso.year,
            iso_week=iso.week,
            weekday=iso.weekday,
            is_weekend=weekend,
            is_workday=plan.day_type in ("workday", "makeup"),
            day_type=plan.day_type,
            holiday=plan.holiday,
            planned=day.year in years,
            plan_year=max(years),
        )


async def fill(client: HistoryClient) -> None:
    """Writes the calendar into the history; written again it changes nothing. Raises HistoryUnavailable."""
    days = [row.SerializeToString() for row in rows()]
    await BatchWriter(client, [tables.CALENDAR]).write({tables.CALENDAR.name: {0: days}})


def _days(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    day = first
    while day <= last:
        yield day
        day += _DAY
