"""What tests of the log, and of those who use it, share: a clock moved by hand, items with readable payloads."""

from __future__ import annotations

import hashlib
import itertools

from eventlog.record import Item, item_key

START_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z."""
_NUMBERS = itertools.count()


class HandClock:
    """Time in epoch milliseconds that moves when a test says so; begins at `START_MS`."""

    def __init__(self) -> None:
        self.now = START_MS

    def __call__(self) -> int:
        """The time now."""
        return self.now

    def advance(self, *, hours: float = 0, seconds: float = 0) -> None:
        """Move on, or back."""
        self.now += int(hours * 3_600_000 + seconds * 1000)


def make_item(number: int, version: str = "", *, size: int = 0) -> Item:
    """The item with key `number`; `version` changes what it says, `size` pads its payload."""
    text = f"{number}{version}".encode()
    return Item(item_key("lot", str(number)), hashlib.sha256(text).digest(), text.ljust(size, b"."))


def next_name() -> str:
    """A name that no other log of this process has."""
    return f"log{next(_NUMBERS)}"
