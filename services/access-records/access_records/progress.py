"""How far the history, or another projection, has followed the log."""

from collections.abc import Iterable
from typing import Final

from eventlog import EventLog, Position, TrimmedBehind
from history.client import HistoryClient
from history.positions import Positions

PROJECTION: Final = "history"
"""The name of the history writer's positions."""


class Progress:
    """What the positions of the history writer say about a lot."""

    def __init__(self, log: EventLog, client: HistoryClient, projection: str = PROJECTION) -> None:
        """`projection` names the positions up to which the history holds this log."""
        self._log = log
        self._positions = Positions(client, projection)

    async def complete_until_ms(self, lot_id: str, now_ms: int) -> int:
        """Every record of the lot acknowledged before this instant is in the history. Raises HistoryUnavailable."""
        return await self._complete_until_ms([self._log.shard_of(lot_id)], now_ms)

    async def all_complete_until_ms(self, now_ms: int) -> int:
        """Every record acknowledged before this instant is in the history, whatever its lot; 0 when that is not known,
        since the log holds no more what the projection has not come to. HistoryUnavailable.
        """
        return await self._complete_until_ms(range(self._log.shards), now_ms)

    async def reached(self, lot_id: str, now_ms: int) -> tuple[Position, int]:
        """Up to where the history holds the log of the lot, and until when it is complete by that; raises as above."""
        position = await self._drained(self._log.shard_of(lot_id))
        until_ms = now_ms
        for waiting in await self._log.read(position, max_records=1):
            until_ms = min(until_ms, waiting.accepted_ms)
        return position, until_ms

    async def _drained(self, shard: int) -> Position:
        drained = await self._positions.read(self._log.epoch)
        return Position(self._log.epoch, shard, drained.get(shard, 0))

    async def _complete_until_ms(self, shards: Iterable[int], now_ms: int) -> int:
        drained = await self._positions.read(self._log.epoch)
        until_ms = now_ms
        for shard in shards:
            after = Position(self._log.epoch, shard, drained.get(shard, 0))
            try:
                for waiting in await self._log.read(after, max_records=1):
                    until_ms = min(until_ms, waiting.accepted_ms)
            except TrimmedBehind:
                return 0
        return until_ms
