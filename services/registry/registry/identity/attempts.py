"""Wrong attempts to log in, and the lock-out that they lead to, as pure functions."""

from dataclasses import dataclass
from typing import Final

MOST: Final = 5
LOCKED_MS: Final = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Attempts:
    """What has been tried in vain since the last success.

    The lock-out ends by itself and is not made longer by further attempts: whoever wants to keep a person out must come
    back for each quarter of an hour. Sessions that are open go on meanwhile.
    """

    failures: int = 0
    locked_until_ms: int = 0

    def locked(self, now_ms: int) -> bool:
        """Whether nobody gets in now."""
        return now_ms < self.locked_until_ms

    def failed(self, now_ms: int) -> "Attempts":
        """With one more wrong attempt; the last one that there may be locks."""
        if self.locked(now_ms):
            return self
        if self.failures + 1 >= MOST:
            return Attempts(0, now_ms + LOCKED_MS)
        return Attempts(self.failures + 1, 0)


NONE: Final = Attempts()
