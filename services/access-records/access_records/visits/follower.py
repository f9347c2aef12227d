"""The projection's loop: follow the record log behind the history writer, pair, write, remember how far."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from eventlog import EventLog, LogUnavailable, Position, TrimmedBehind
from history.errors import HistoryUnavailable
from history.positions import Positions
from history.writer import BatchWriter
from mesh.clock import Clock

from access_records.visits.batches import Batches
from access_records.visits.projection import Projection

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
        rebuild: Callable[[int], Awaitable[int]],
        clock: Clock,
        pace: Pace,
    ) -> None:
        """`own` are the projection's positions, `history` those of the history writer; `rebuild` makes all visits of
        the shard anew, from the records that the history holds up to a position of the log.
        """
        self._log = log
        self._shard = shard
        self._batches = batches
        self._projection = projection
        self._writer = writer
        self._own = own
        self._history = history
        self._rebuild = rebuild
        self._clock = clock
        self._pace = pace
        self._careful_until = 0
        self._drained = 0

    async def begin(self) -> Position:
        """From where to go on, as after a start: nothing is taken as known."""
        self._projection.forget()
        self._batches.forget()
        offset = (await self._own.read(self._log.epoch)).get(self._shard, 0)
        self._careful_until = offset + 2 * self._pace.max_records
        return Position(self._log.epoch, self._shard, offset)

    async def step(self, after: Position) -> Position:
        """Pairs what lies behind the position, if the history holds it; the position reached is recorded.

        Raises HistoryUnavailable and LogUnavailable; `begin` anew then.
        """
        if self._drained <= after.offset:
            self._drained = (await self._history.read(self._log.epoch)).get(self._shard, 0)
        ready = min(self._pace.max_records, self._drained - after.offset)
        if ready <= 0:
            return after
        try:
            entries = await self._log.read(after, max_records=ready)
        except TrimmedBehind:
            return await self._catch_up(after)
        # The last entry may reach beyond what the history holds.
        entries = [entry for entry in entries if entry.last <= self._drained]
        if not entries:
            return after
        batch = await self._batches.batch(entries, self._clock.now_ms())
        await self._writer.write(await self._projection.rows(batch, careful=batch.after < self._careful_until))
        return await self._reach(batch.until)

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Follows until cancelled; waits while the log or ClickHouse is away."""
        after: Position | None = None
        while True:
            try:
                if after is None:
                    after = await self.begin()
                reached = await self.step(after)
                full = reached.offset - after.offset >= self._pace.max_records // 2
                after = reached
            except (HistoryUnavailable, LogUnavailable) as away:
                _log.warning("shard %d waits: %s", self._shard, type(away).__name__)
                after = None
                await pause(_RETRY_S)
            else:
                if not full:
                    await pause(self._pace.gather_s)

    async def _catch_up(self, after: Position) -> Position:
        """The log holds no more what lies behind the position: makes all visits anew from the history."""
        _log.warning("shard %d: %d is behind the log's edge; all visits are made anew", self._shard, after.offset)
        self._projection.forget()
        self._batches.forget()
        drained = (await self._history.read(self._log.epoch)).get(self._shard, 0)
        written = await self._rebuild(drained)
        _log.info("shard %d: made %d visits anew", self._shard, written)
        return await self._reach(drained)

    async def _reach(self, offset: int) -> Position:
        await self._own.advance(self._log.epoch, {self._shard: offset})
        return Position(self._log.epoch, self._shard, offset)
