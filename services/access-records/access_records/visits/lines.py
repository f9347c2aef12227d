"""Lines of passages that were needed lately: a copy of what the history holds, safe to lose."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from access_records.visits.pairing import Limits, Passage, separable

K = TypeVar("K")

FOREVER_MS: Final = 10_382_256_000_000
"""The year 2299, the last that ClickHouse knows: of a later instant it would take another month."""
_LONG: Final = 48
_KEPT: Final = 16


class KnownLine:
    """The passages of one line, in order; complete around everything that happens within two instants."""

    __slots__ = ("passages", "since_ms", "until_ms")

    def __init__(self, passages: list[Passage], since_ms: int, until_ms: int) -> None:
        self.passages = passages
        self.since_ms = since_ms
        self.until_ms = until_ms

    def around(self, first: Passage, last: Passage, limits: Limits) -> tuple[int, int]:
        """From which place on and before which one the line is, that a change from `first` to `last` may touch."""
        passages = self.passages
        begin = bisect_left(passages, first) - 1
        while begin > 0 and not separable(passages[begin - 1], passages[begin], limits):
            begin -= 1
        end, length = bisect_right(passages, last) + 1, len(passages)
        while end < length and not separable(passages[end - 1], passages[end], limits):
            end += 1
        return max(begin, 0), min(end, length)

    def shorten(self, limits: Limits) -> None:
        """Forgets the beginning of a long line, where it may be cut."""
        passages = self.passages
        if len(passages) <= _LONG:
            return
        for place in range(len(passages) - _KEPT, 0, -1):
            if separable(passages[place - 1], passages[place], limits):
                del passages[:place]
                self.since_ms = max(self.since_ms, passages[0].at_ms + 1)
                return


class Lines(Generic[K]):
    """The lines used last, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[K, KnownLine] = {}

    def get(self, key: K, first_ms: int, last_ms: int) -> KnownLine | None:
        """The line; None unless it is complete around everything between the two instants."""
        line = self._lines.pop(key, None)
        if line is None or first_ms < line.since_ms or last_ms > line.until_ms:
            return None
        self._lines[key] = line
        return line

    def put(self, key: K, line: KnownLine) -> None:
        """Keeps the line as the one that was used last."""
        self._lines.pop(key, None)
        self._lines[key] = line

    def drop(self, key: K) -> None:
        """Forgets a line."""
        self._lines.pop(key, None)

    def clear(self) -> None:
        """Forgets all lines."""
        self._lines.clear()

    def forget(self) -> None:
        """Forgets the lines beyond the most that are kept, those first that were not used for longest."""
        excess = len(self._lines) - self._most
        if excess > 0:
            oldest: Iterator[K] = iter(self._lines)
            for key in [next(oldest) for _ in range(excess)]:
                del self._lines[key]
