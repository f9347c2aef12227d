"""What can go wrong with the log, one class per thing a caller does about it."""

# ruff: noqa: N818  the name says what is the case; that it is an error is said by its root

from __future__ import annotations


class LogError(Exception):
    """The root of everything this library raises on purpose."""


class LogUnavailable(LogError):
    """The log cannot be reached or is still loading; whether an append took effect is unknown. Send it again."""


class LogFull(LogError):
    """A watermark of memory or disk is reached, nothing was appended; try again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class UnsafeServer(LogError):
    """The server's configuration would break the promise of an acknowledgement; the text names the setting."""


class LayoutMismatch(LogError):
    """The log exists with another shard count or layout version than asked for."""


class EpochMismatch(LogError):
    """The position, or this client, belongs to another log than the one found on the server."""


class TrimmedBehind(LogError):
    """The position lies before the oldest record still in the log; catch up from the history.

    `oldest` is the oldest offset still there.
    """

    def __init__(self, shard: int, offset: int, oldest: int) -> None:
        super().__init__(f"shard {shard}: position {offset} is behind the trimmed edge, the oldest record is {oldest}")
        self.oldest = oldest


class BeyondEnd(LogError):
    """The position lies beyond the log's end: state and log do not belong together. Stop."""


class CorruptEntry(LogError):
    """An entry does not pass its checksums or its place in the log. Stop and restore."""
