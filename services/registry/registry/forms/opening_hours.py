"""Opening hours: periods that can be read, and that do not collide."""

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.errors import FieldViolation
from parkmesh.registry.v1.lot_pb2 import OpeningPeriod, Weekday
from vocabulary import opening_hours, refusal
from vocabulary.opening_hours import WEEKDAYS, OpeningHoursRule, Period
from vocabulary.refusal import Refusal

from registry.forms.violation import broken, refused

_MIDNIGHT: Final = "00:00"
"""A period begins with it and never ends with it: the end of a day is 24:00."""


class PeriodRule(refusal.Rule):
    """What can be wrong with one period."""

    CLOSES = ("opening_hours.close", "must be 00:01 to 24:00; midnight is 24:00", "须为00:01至24:00，午夜写作24:00")


def examine(stated: Sequence[OpeningPeriod], path: str) -> Iterator[FieldViolation]:
    """Names all days where none are named, and finds each pair of periods that collide; `path` is the list's.

    A collision is told at the later one of the two in the list and names both, counted from 0 as in the path.
    """
    places = []
    periods = []
    for at, period in enumerate(stated):
        if not period.weekdays:
            period.weekdays.extend(Weekday.ValueType(day) for day in WEEKDAYS)
        if period.closes == _MIDNIGHT:
            yield broken(f"{path}[{at}].closes", PeriodRule.CLOSES)
        else:
            places.append(at)
            periods.append(Period(frozenset(period.weekdays), _minute(period.opens), _minute(period.closes)))
    for overlap in opening_hours.overlaps(periods):
        first, second = places[overlap.first], places[overlap.second]
        hour, minute = divmod(overlap.minute, 60)
        collision = Refusal(
            OpeningHoursRule.OVERLAP, first=first, second=second, weekday=overlap.weekday, hour=hour, minute=minute
        )
        yield refused(f"{path}[{second}]", collision)


def _minute(text: str) -> int:
    """The minute of the day that `HH:MM` names."""
    return int(text[:2]) * 60 + int(text[3:])
