"""Weekly opening hours (服务时间) in Beijing time, to the minute: across midnight, round the clock, without collisions.

Public holidays are not told apart: a lot that keeps other hours then says so as dynamic information.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from vocabulary import beijing
from vocabulary.refusal import Refusal, Rule

DAY: Final = 1440
WEEK: Final = 7 * DAY
WEEKDAYS: Final = range(1, 8)
"""Monday is 1 and Sunday 7 (ISO 8601)."""


class OpeningHoursRule(Rule):
    """What can be wrong with a period, or with two of them."""

    WEEKDAYS = (
        "opening_hours.weekdays",
        "names at least one weekday, each from 1 (Monday) to 7 (Sunday)",
        "至少一个星期几，取值1（周一）至7（周日）",
    )
    OPEN = ("opening_hours.open", "opens at a minute of the day from 0 to 1439", "开始时间为当日第0至1439分钟")
    CLOSE = (
        "opening_hours.close",
        "closes at a minute of the day from 1 to 1440; not after the opening means on the next day",
        "结束时间为当日第1至1440分钟；不晚于开始时间表示次日",
    )
    OVERLAP = (
        "opening_hours.overlap",
        "periods {first} and {second} (counted from 0) are both open on weekday {weekday} at {hour:02}:{minute:02}",
        "第{first}与第{second}个时段（从0计）在星期{weekday}的{hour:02}:{minute:02}重叠",
    )


@dataclass(frozen=True, slots=True)
class Period:
    """Open from one minute of the day, included, to another, excluded, on each of some weekdays.

    A closing minute that is not after the opening one is the next day's: 1320 to 360 is 22:00 to 06:00, and 480 to 480
    lasts 24 hours. The whole day is 0 to 1440. Raises `Refusal` with an `OpeningHoursRule`.
    """

    weekdays: frozenset[int]
    """The days on which it opens, 1 to 7; what lies behind midnight belongs to the day before."""
    open_minute: int
    close_minute: int

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays.issubset(WEEKDAYS):
            raise Refusal(OpeningHoursRule.WEEKDAYS)
        if not 0 <= self.open_minute < DAY:
            raise Refusal(OpeningHoursRule.OPEN)
        if not 0 < self.close_minute <= DAY:
            raise Refusal(OpeningHoursRule.CLOSE)

    @property
    def minutes(self) -> int:
        """How long it is open after each opening, 1 to 1440 minutes."""
        return (self.close_minute - self.open_minute - 1) % DAY + 1


class Overlap(NamedTuple):
    """Two periods that are open at once, by their places in the list, and when they first are."""

    first: int
    second: int
    weekday: int
    minute: int


def overlaps(periods: Sequence[Period]) -> tuple[Overlap, ...]:
    """Each pair of periods that share a minute of the week, once, with its first such minute; in order of that minute.

    Across midnight and from Sunday into Monday too. Periods that only touch share none. A period never collides with
    itself.
    """
    spans = sorted((start, end, place) for place, period in enumerate(periods) for start, end in _spans(period))
    found: dict[tuple[int, int], Overlap] = {}
    open_now: list[tuple[int, int]] = []
    for start, end, place in spans:
        open_now = [(until, other) for until, other in open_now if until > start]
        for _, other in open_now:
            first, second = sorted((place, other))
            found.setdefault((first, second), Overlap(first, second, start // DAY + 1, start % DAY))
        open_now.append((end, place))
    return tuple(found.values())


def checked(periods: Sequence[Period]) -> tuple[Period, ...]:
    """The same periods; raises `Refusal` with `OpeningHoursRule.OVERLAP`, naming the first two that collide.

    The refusal's `facts` are first, second, weekday, hour and minute.
    """
    for overlap in overlaps(periods):
        hour, minute = divmod(overlap.minute, 60)
        raise Refusal(
            OpeningHoursRule.OVERLAP,
            first=overlap.first,
            second=overlap.second,
            weekday=overlap.weekday,
            hour=hour,
            minute=minute,
        )
    return tuple(periods)


def is_open(periods: Sequence[Period], weekday: int, minute: int) -> bool:
    """Whether some period is open in that minute of the day, Beijing time; never when there are no periods.

    Raises ValueError when the weekday is not 1 to 7 or the minute not 0 to 1439.
    """
    if weekday not in WEEKDAYS or not 0 <= minute < DAY:
        raise ValueError("a moment of the week is a weekday from 1 to 7 and a minute from 0 to 1439")
    moment = (weekday - 1) * DAY + minute
    return any(start <= moment < end for period in periods for start, end in _spans(period))


def is_open_at(periods: Sequence[Period], epoch_ms: int) -> bool:
    """Whether some period is open at that instant; raises as `beijing.moment` does."""
    moment = beijing.moment(epoch_ms)
    return is_open(periods, moment.isoweekday(), moment.hour * 60 + moment.minute)


def minutes_per_week(periods: Sequence[Period]) -> int:
    """How many minutes of a week some period is open, 0 to 10080; minutes of two periods count once."""
    total = reached = 0
    for start, end in sorted(span for period in periods for span in _spans(period)):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _spans(period: Period) -> Iterator[tuple[int, int]]:
    """Its spans of a week's minutes from Monday 0:00; what goes beyond Sunday comes back on Monday."""
    for weekday in period.weekdays:
        start = (weekday - 1) * DAY + period.open_minute
        end = start + period.minutes
        yield start, min(end, WEEK)
        if end > WEEK:
            yield 0, end - WEEK
