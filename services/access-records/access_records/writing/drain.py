"""The history writer's loop: read a log, write it into the history, remember how far, let the log go behind it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eventlog import Entry, EventLog, LogUnavailable, Position
from history.errors import HistoryUnavailable
from history.positions import Positions
from mesh.clock import Clock

_log = logging.getLogger(__name__)

_BLOCK_MS: Final = 1_000
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How the writer trades delay against the number of inserts."""

    max_records: int
    """At most about this many records go into one insert."""
    gather_s: float
    """How long to wait after an insert that was not full, so that the next one is larger: every insert costs tens of
    milliseconds, however few its rows are."""
    trim_every_s: float
    """How often the log is trimmed."""


class Rows(Protocol):
    """What becomes of a log's entries."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """Writes their rows, durable on return; writing them again, perhaps cut elsewhere, changes nothing."""


class Drain:
    """Follows one shard of a log into the history.

    A batch that was written and whose position was not recorded is written again after a restart, perhaps cut
    elsewhere: the same rows collapse. Stops, loudly, when log and position do not belong together or an entry is
    damaged.
    """

    def __init__(self, log: EventLog, shard: int, rows: Rows, positions: Positions, clock: Clock, pace: Pace) -> None:
        self._log = log
        self._shard = shard
        self._rows = rows
        self._positions = positions
        self._clock = clock
        self._pace = pace
        self.still = asyncio.Lock()
        """Held while a batch is written: whoever holds it holds the position still."""

    async def position(self) -> Position:
        """Up to where the history holds the log."""
        offsets = await self._positions.read(self._log.epoch)
        return Position(self._log.epoch, self._shard, offsets.get(self._shard, 0))

    async def step(self, after: Position) -> Position:
        """Writes what lies behind the position, waiting a moment if nothing does; the position reached is recorded."""
        entries = await self._log.read(after, max_records=self._pace.max_records, block_ms=_BLOCK_MS)
        if not entries:
            return after
        reached = entries[-1].position
        async with self.still:
            await self._rows.write(entries)
            await self._positions.advance(self._log.epoch, {self._shard: reached.offset})
        return reached

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Follows until cancelled; waits while the log or ClickHouse is away."""
        after: Position | None = None
        trimmed_at = self._clock.monotonic()
        while True:
            try:
                if after is None:
                    after = await self.position()
                reached = await self.step(after)
                full = reached.offset - after.offset >= self._pace.max_records
                after = reached
                if self._clock.monotonic() - trimmed_at >= self._pace.trim_every_s:
                    trimmed_at = self._clock.monotonic()
                    await self._log.trim(after)
            except (HistoryUnavailable, LogUnavailable) as away:
                _log.warning("shard %d waits: %s", self._shard, type(away).__name__)
                after = None  # what was recorded is asked again: the last advance may have taken effect
                await pause(_RETRY_S)
            else:
                if not full:
                    await pause(self._pace.gather_s)
