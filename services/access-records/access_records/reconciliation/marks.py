"""As of what books are compared: a position of the log that the history has reached, and until when it is settled."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from eventlog import EventLog, Position
from mesh import paging
from mesh.errors import FieldViolation, MeshError
from mesh.validation import invalid

from access_records.progress import Progress

_PAUSE_S: Final = 0.05
_FORMS: Final = (paging.ID, "[0-9]{1,5}", "[0-9]{1,20}", "[0-9]{1,15}")


class Mark(NamedTuple):
    """A state of a lot's books."""

    position: Position
    settled_ms: int
    """What happened before this instant had its time to arrive, and is in the books of the position."""


class Marks:
    """Gives marks, and reads them back from the tokens that callers send."""

    def __init__(
        self,
        log: EventLog,
        progress: Progress,
        *,
        grace_ms: int,
        follow_s: float,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """An event has `grace_ms` to arrive; a question waits `follow_s` for the history to hold all that was
        acknowledged before it.
        """
        self._log = log
        self._progress = progress
        self._grace_ms = grace_ms
        self._attempts = max(1, round(follow_s / _PAUSE_S))
        self._pause = pause
        self._seen: dict[int, Mark] = {}
        """The newest mark of each shard that the history was seen to have reached."""

    async def now(self, lot_id: str, now_ms: int) -> Mark:
        """The newest mark. What was acknowledged before the call is in it, unless the history lags behind for longer
        than the question waits. Raises HistoryUnavailable and LogUnavailable.
        """
        end = await self._log.end(self._log.shard_of(lot_id))
        for _ in range(self._attempts):
            position, complete_until_ms = await self._progress.reached(lot_id, now_ms)
            if position.offset >= end.offset:
                break
            await self._pause(_PAUSE_S)
        return self._see(Mark(position, complete_until_ms - self._grace_ms))

    async def newest(self, now_ms: int) -> int:
        """Until when the books of all lots are settled. Raises as `now` does."""
        return await self._progress.all_complete_until_ms(now_ms) - self._grace_ms

    async def given(self, lot_id: str, token: str, now_ms: int) -> Mark:
        """The mark of a token, the newest one for an empty one; MeshError(INVALID_FIELD) when it is not one that this
        lot could have been given. Raises as `now` does.
        """
        if not token:
            return await self.now(lot_id, now_ms)
        try:
            epoch, shard, offset, settled_ms = paging.decode(token, _arguments(lot_id), _FORMS)
        except MeshError:
            raise not_a_position() from None
        mark = Mark(Position(epoch, int(shard), int(offset)), int(settled_ms))
        # Whoever makes a token of their own gets another state of their own books, if there was one.
        if mark.position[:2] != (self._log.epoch, self._log.shard_of(lot_id)):
            raise not_a_position()
        seen = self._seen.get(mark.position.shard)
        if seen is None or not _is_before(mark, seen):
            position, complete_until_ms = await self._progress.reached(lot_id, now_ms)
            seen = self._see(Mark(position, complete_until_ms - self._grace_ms))
        if mark.position.offset > seen.position.offset:
            raise not_a_position()
        return mark._replace(settled_ms=min(mark.settled_ms, seen.settled_ms))

    def _see(self, mark: Mark) -> Mark:
        known = self._seen.get(mark.position.shard)
        if known is None or _is_before(known, mark):
            self._seen[mark.position.shard] = mark
        return mark


def _is_before(one: Mark, other: Mark) -> bool:
    """Whether both the position and the settled time of one are the other's or before."""
    return one.position.offset <= other.position.offset and one.settled_ms <= other.settled_ms


def token_of(lot_id: str, mark: Mark) -> str:
    """The mark as callers send it back."""
    epoch, shard, offset = mark.position
    return paging.encode(_arguments(lot_id), (epoch, str(shard), str(offset), str(max(0, mark.settled_ms))))


def not_a_position() -> MeshError:
    """What a caller is told whose position is none, or too old."""
    rule = FieldViolation(
        "position",
        "position",
        "must be the position of an answer about this lot, not too long ago; leave it out to begin anew",
        "须为本停车场近期应答中的账目位置；留空则重新开始",
    )
    return invalid([rule])


def _arguments(lot_id: str) -> tuple[str, str]:
    return "reconciliation", lot_id
