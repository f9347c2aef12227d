"""The durable log on Redis Streams: append once, read on from a position."""

from eventlog.errors import (
    BeyondEnd,
    CorruptEntry,
    EpochMismatch,
    LayoutMismatch,
    LogError,
    LogFull,
    LogUnavailable,
    TrimmedBehind,
    UnsafeServer,
)
from eventlog.log import Clock, EventLog
from eventlog.pressure import Limits
from eventlog.record import Entry, Found, Item, Outcome, Position, Result, Trimmed, item_key

__all__ = [
    "BeyondEnd",
    "Clock",
    "CorruptEntry",
    "Entry",
    "EpochMismatch",
    "EventLog",
    "Found",
    "Item",
    "LayoutMismatch",
    "Limits",
    "LogError",
    "LogFull",
    "LogUnavailable",
    "Outcome",
    "Position",
    "Result",
    "Trimmed",
    "TrimmedBehind",
    "UnsafeServer",
    "item_key",
]
