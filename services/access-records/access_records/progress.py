"""How far the history has followed the log."""

from typing import Final

from eventlog import EventLog, Position
from history.client import HistoryClient
from history.positions import Positions

PROJECTION: Final = "history"
"""The name of the history writer's positions."""


class Progress:
    """What the positions of the history writer say about a lot."""

    def __init__(self, log: EventLog, client: HistoryClient) -> None:
        self._log = log
        self._positions = Positions(client, PROJECTION)

    async def complete_until_ms(self, lot_id: str, now_ms: int) -> int:
        """Every record of the lot acknowledged before this instant is in the history. Raises HistoryUnavailable."""
        shard = self._log.shard_of(lot_id)
        drained = (await self._positions.read(self._log.epoch)).get(shard, 0)
        waiting = await self._log.read(Position(self._log.epoch, shard, drained), max_records=1)
        return min(now_ms, waiting[0].accepted_ms) if waiting else now_ms
