"""Time and fresh ids, as things that are handed in."""

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Handed in everywhere, so that tests decide what time it is."""

    def now_ms(self) -> int:
        """Wall clock, in milliseconds since 1970-01-01 UTC. May jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed instant; never goes back. For durations only."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """See `Clock`."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()


class Ids(Protocol):
    """Gives fresh ids."""

    def new(self, prefix: str) -> str:
        """An id never given before, `<prefix>-<random>`; only `[A-Za-z0-9_-]`, so it can stand in a URL."""
        ...


class RandomIds:
    """Ids of 128 random bits in hexadecimal."""

    def new(self, prefix: str) -> str:
        """See `Ids`."""
        return f"{prefix}-{secrets.token_hex(16)}"
