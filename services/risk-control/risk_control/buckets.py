"""How often somebody may call: a token bucket for each, in memory."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_REMEMBERED: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    filled_at: float


class Buckets:
    """One bucket per name: it fills at that name's rate, and holds what `burst_seconds` fill, at least one request."""

    def __init__(self, burst_seconds: float, remembered: int = _REMEMBERED) -> None:
        self._burst_seconds = burst_seconds
        self._limit = remembered
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str, per_second: float, now: float) -> int:
        """Takes one request at the monotonic time `now` (seconds). 0 when it may be made; else how many milliseconds to
        wait, at least 1: nothing was taken. A changed rate applies from now on. Of too many names, the one that was
        silent longest is forgotten, and begins with a full bucket.
        """
        size = max(1.0, per_second * self._burst_seconds)
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= self._limit:
                self._buckets.popitem(last=False)
            bucket = self._buckets[name] = _Bucket(size, now)
        else:
            self._buckets.move_to_end(name)
        bucket.left = min(size, bucket.left + (now - bucket.filled_at) * per_second)
        bucket.filled_at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0
        return max(1, math.ceil((1 - bucket.left) / per_second * 1000))
