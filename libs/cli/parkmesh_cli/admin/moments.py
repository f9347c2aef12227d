"""Times as one types and reads them: Beijing time (北京时间) unless an offset says otherwise."""

import re
from typing import Any, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from vocabulary import beijing

ABSENT: Final = "–"
"""What a table shows where there is nothing."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?", re.ASCII)
_EXPECTED: Final = "must be a date or a time, such as 2026-03-14 or 2026-03-14T08:30 须为日期或时刻（北京时间）"


def instant(given: str) -> Timestamp:
    """The instant of a date (its first moment in Beijing), of a Beijing date and time, or of a time with its offset.

    BadParameter for anything else.
    """
    made = Timestamp()
    try:
        if _DAY.fullmatch(given):
            epoch_ms = beijing.day_bounds_of(given).start_ms
        elif clock := _CLOCK.fullmatch(given):
            epoch_ms = beijing.parse(f"{clock[1]}T{clock[2]}{clock[3] or ':00'}+08:00")
        else:
            epoch_ms = beijing.parse(given)
        made.FromMilliseconds(epoch_ms)
    except ValueError as error:
        raise typer.BadParameter(_EXPECTED) from error
    return made


def option(*names: str, help: str) -> Any:  # noqa: A002 - Typer's own word
    """An option that takes an instant."""
    return typer.Option(*names, help=help, parser=instant, metavar="TIME")


def text(time: Timestamp) -> str:
    """The instant for people who know that it is Beijing's, to the second: `2026-03-14 08:30:00`."""
    day, _, clock = rfc3339(time).partition("T")
    return f"{day} {clock[: len('08:30:00')]}"


def rfc3339(time: Timestamp) -> str:
    """The instant for programs, to the millisecond, at +08:00; the last hours of the year 9999 in UTC."""
    try:
        return beijing.text(time.ToMilliseconds())
    except ValueError:
        return time.ToJsonString()


def shown(message: Any, field: str) -> str:
    """The instant in that field of the message; a dash when it is absent."""
    return text(getattr(message, field)) if message.HasField(field) else ABSENT


def span(message: Any, first: str, second: str) -> str:
    """The instants in these two fields of the message, a line each."""
    return f"{shown(message, first)}\n{shown(message, second)}"
