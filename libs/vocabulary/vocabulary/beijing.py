"""Beijing time (北京时间): UTC+8 all year; instants are whole milliseconds since 1970-01-01T00:00:00Z."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

BEIJING: Final = timezone(timedelta(hours=8), "+08:00")

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
OFFSET_MS: Final = 8 * HOUR_MS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MS: Final = timedelta(milliseconds=1)
_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class Bounds(NamedTuple):
    """A span of time: from `start_ms`, included, to `end_ms`, excluded."""

    start_ms: int
    end_ms: int


def moment(epoch_ms: int) -> datetime:
    """The instant as an aware datetime at +08:00, exact to the millisecond.

    Raises ValueError outside the years 1 to 9999.
    """
    try:
        return (_EPOCH + epoch_ms * _MS).astimezone(BEIJING)
    except (OverflowError, ValueError) as error:
        raise ValueError("the instant is outside the years 1 to 9999") from error


def text(epoch_ms: int) -> str:
    """The instant as RFC 3339 with milliseconds and offset, such as 2100-01-01T08:00:00.000+08:00; see `moment`."""
    return moment(epoch_ms).isoformat(timespec="milliseconds")


def parse(rfc3339: str) -> int:
    """The instant that an RFC 3339 text names; digits beyond milliseconds are cut off.

    Raises ValueError for anything else. The offset is required: a time without one does not say when. A leap second
    (:60) is refused, since milliseconds since the epoch cannot tell it from the second after.
    """
    match = _RFC3339.fullmatch(rfc3339)
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    day, clock, fraction, offset = match.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    return (whole - _EPOCH) // _MS + int(((fraction or "") + "000")[:3])


def minute_bounds(epoch_ms: int) -> Bounds:
    """The minute that the instant lies in."""
    start = epoch_ms - epoch_ms % MINUTE_MS
    return Bounds(start, start + MINUTE_MS)


def hour_bounds(epoch_ms: int) -> Bounds:
    """The hour that the instant lies in."""
    start = epoch_ms - epoch_ms % HOUR_MS
    return Bounds(start, start + HOUR_MS)


def day_bounds(epoch_ms: int) -> Bounds:
    """The Beijing day that the instant lies in."""
    start = epoch_ms - (epoch_ms + OFFSET_MS) % DAY_MS
    return Bounds(start, start + DAY_MS)


def day_key(epoch_ms: int) -> str:
    """The Beijing date of the instant, as YYYY-MM-DD; see `moment` for errors."""
    return _day((epoch_ms + OFFSET_MS) // DAY_MS)[0]


def day_bounds_of(key: str) -> Bounds:
    """The bounds of the Beijing day named YYYY-MM-DD; raises ValueError when there is no such day."""
    if not _DAY.fullmatch(key):
        raise ValueError("not a date of the form YYYY-MM-DD")
    start = (date.fromisoformat(key).toordinal() - _EPOCH_DAY) * DAY_MS - OFFSET_MS
    return Bounds(start, start + DAY_MS)


def month(epoch_ms: int) -> int:
    """The Beijing month of the instant as a number yyyymm, such as 210001; see `moment` for errors."""
    return _day((epoch_ms + OFFSET_MS) // DAY_MS)[1]


@lru_cache(maxsize=4096)
def _day(day: int) -> tuple[str, int]:
    try:
        found = date.fromordinal(_EPOCH_DAY + day)
    except (OverflowError, ValueError) as error:
        raise ValueError("the instant is outside the years 1 to 9999") from error
    return found.isoformat(), found.year * 100 + found.month


def looks_like_beijing_marked_utc(difference_ms: int, tolerance_ms: int) -> bool:
    """Whether an instant this far in the future (event minus now) is likely Beijing clock time that was marked Z.

    True when the difference is 8 h, give or take the tolerance, both bounds included.
    """
    return abs(difference_ms - OFFSET_MS) <= tolerance_ms
