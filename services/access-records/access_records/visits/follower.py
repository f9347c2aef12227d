"""The projection's loop: follow the record log behind the history writer, pair, write, remember how far."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from eventlog import EventLog, LogUnavailable, Position, TrimmedBehind
from history.errors import HistoryUnavailable
from history.positions import Positions
from history.writer import Batch, BatchWriter
from mesh.clock import Clock

from access_records.visits.batches import Batches
from access_records.visits.projection import Projection
from access_records.visits.rebuild import Remaking

_log = logging.getLogger(__name__)

PROJECTION: Final = "visits-by-plate"
"""The name of the positions up to which the visits follow the log. Another name makes all visits anew: it changes when
visits take a form that earlier ones do not have."""
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How the projection trades delay against the number of steps."""

    max_records: int
    """At most about this many records are paired at once."""
    gather_s: float
    """How long to wait after a step that was not full."""


class _Step(NamedTuple):
    """A stretch of the log, paired."""

    reached: int
    rows: Batch


class Follower:
    """Follows one shard of the log, never beyond what the history holds of it.

    A step that was written and whose position was not recorded is taken again after a restart, perhaps cut elsewhere:
    until the records of such a step are behind it, rows are written whether or not they seem to change anything.
    """

    def __init__(
        self,
        log: EventLog,
        shard: int,
        batches: Batches,
        projection: Projection,
        writer: BatchWriter,
        own: Positions,
        history: Positions,
        remaking: Remaking,
        clock: Clock,
        pace: Pace,
    ) -> None:
        """`own` are the projection's positions, `history` those of the history writer; `remaking` is of this shard."""
        self._log = log
        self._shard = shard
        self._batches = batches
        self._projection = projection
        self._writer = writer
        self._own = own
        self._history = history
        self._remaking = remaking
        self._clock = clock
        self._pace = pace
        self._careful_until = 0
        self._drained = 0

    async def begin(self) -> Position:
        """From where to go on, as after a start: nothing is taken as known. Raises HistoryUnavailable and
        LogUnavailable.

        Who has never followed the log makes all visits anew first, unless there are none and the log holds everything.
        """
        self._projection.forget()
        self._batches.forget()
        offset = (await self._own.read(self._log.epoch)).get(self._shard, 0) or await self._remade()
        self._careful_until = offset + 2 * self._pace.max_records
        return self._at(offset)

    async def follow(
        self, after: Position, until: int | None = None, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> Position:
        """Follows the log from a position on, without end or until that offset is reached and recorded.

        While one step is written the next is paired: it depends on no visit. Raises HistoryUnavailable and
        LogUnavailable; `begin` anew then.
        """
        writing: asyncio.Task[None] | None = None
        try:
            while until is None or after.offset < until:
                step = await self._pair(after)
                if writing is not None:
                    await writing
                    writing = None
                full = False
                if step is not None:
                    writing = asyncio.create_task(self._write(step))
                    full = step.reached - after.offset >= self._pace.max_records // 2
                    after = self._at(step.reached)
                if not full and after.offset != until:
                    await pause(self._pace.gather_s)
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
        return after

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Follows until cancelled; waits while the log or ClickHouse is away."""
        while True:
            try:
                await self.follow(await self.begin(), pause=pause)
            except (HistoryUnavailable, LogUnavailable) as away:
                _log.warning("shard %d waits: %s", self._shard, type(away).__name__)
                await pause(_RETRY_S)

    async def _pair(self, after: Position) -> "_Step | None":
        """What the next stretch of the log changes, if the history holds it."""
        if self._drained <= after.offset:
            self._drained = (await self._history.read(self._log.epoch)).get(self._shard, 0)
        ready = min(self._pace.max_records, self._drained - after.offset)
        if ready <= 0:
            return None
        now_ms = self._clock.now_ms()
        try:
            entries = await self._log.read(after, max_records=ready)
        except TrimmedBehind:
            _log.warning("shard %d: %d is behind the log's edge; reading the history", self._shard, after.offset)
            batch = await self._batches.kept(self._shard, after.offset, after.offset + ready, now_ms)
        else:
            # The last entry may reach beyond what the history holds.
            entries = [entry for entry in entries if entry.last <= self._drained]
            if not entries:
                return None
            batch = await self._batches.batch(entries, now_ms)
        rows = await self._projection.rows(batch, careful=batch.after < self._careful_until)
        return _Step(batch.until, rows)

    async def _write(self, step: "_Step") -> None:
        await self._writer.write(step.rows)
        await self._own.advance(self._log.epoch, {self._shard: step.reached})

    async def _remade(self) -> int:
        """Makes all visits anew where that is quicker than following, or needed: up to where; 0 when it is neither."""
        drained = (await self._history.read(self._log.epoch)).get(self._shard, 0)
        if not drained or (await self._log_is_whole() and not await self._remaking.has_visits()):
            return 0
        _log.warning("shard %d: all visits are made anew", self._shard)
        written = await self._remaking.remake(drained)
        _log.info("shard %d: made %d visits anew", self._shard, written)
        await self._own.advance(self._log.epoch, {self._shard: drained})
        return drained

    async def _log_is_whole(self) -> bool:
        try:
            await self._log.read(self._at(0), max_records=1)
        except TrimmedBehind:
            return False
        return True

    def _at(self, offset: int) -> Position:
        return Position(self._log.epoch, self._shard, offset)
