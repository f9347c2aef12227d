"""Consecutive buckets of Beijing time: days, hours or minutes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from vocabulary import beijing
from vocabulary.beijing import Bounds

LENGTH_MS: Final = {
    messages.STEP_DAY: beijing.DAY_MS,
    messages.STEP_HOUR: beijing.HOUR_MS,
    messages.STEP_MINUTE: beijing.MINUTE_MS,
}
"""How long a bucket of each step is; Beijing has no summer time."""
MOST_DAYS: Final = 400
"""Days that one question may span, whatever its step."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """`count` buckets of `length_ms` each, the first of which begins at `start_ms`."""

    start_ms: int
    length_ms: int
    count: int

    @property
    def bounds(self) -> Bounds:
        """All of them as one window."""
        return Bounds(self.start_ms, self.start_ms + self.count * self.length_ms)

    def begin(self, index: int) -> int:
        """Where a bucket begins."""
        return self.start_ms + index * self.length_ms

    @property
    def aligned(self) -> bool:
        """Whether the first begins where a Beijing day, hour or minute does."""
        return (self.start_ms + beijing.OFFSET_MS) % self.length_ms == 0

    def until(self, instant_ms: int) -> "Buckets":
        """Those that end at the instant at the latest."""
        ended = (instant_ms - self.start_ms) // self.length_ms
        return replace(self, count=max(0, min(self.count, ended)))

    def days(self) -> Iterator[tuple[Bounds, range]]:
        """Each Beijing day that they cover from its first instant to its last, and which buckets it is made of."""
        begin, end = self.bounds
        day = beijing.day_bounds(begin)
        if day.start_ms < begin:
            day = beijing.day_bounds(day.end_ms)
        each = beijing.DAY_MS // self.length_ms
        while day.end_ms <= end:
            first = (day.start_ms - begin) // self.length_ms
            yield day, range(first, first + each)
            day = beijing.day_bounds(day.end_ms)
