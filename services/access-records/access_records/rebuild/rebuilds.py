"""The history writer's rebuilds: finds what was asked for in the journal, carries it out, notes how far it has come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from history.client import HistoryClient
from history.errors import HistoryError, HistoryUnavailable
from mesh.clock import Clock
from parkmesh.access.v1 import rebuild_pb2
from vocabulary import beijing

from access_records.queries import query
from access_records.rebuild.shadow import Comparison

_log = logging.getLogger(__name__)

Projection: TypeAlias = rebuild_pb2.HistoryProjection.ValueType
Making = Callable[[bool], Awaitable[Comparison]]
"""Makes a projection anew and compares it; changes nothing when it is told to check only."""

_MOST_DIFFERENCES: Final = 100
_LATELY_MS: Final = 30 * beijing.DAY_MS
_RETRY_S: Final = 5.0


class Rebuilds:
    """Carries rebuilds out, one after the other. One that a crash broke off goes on with the projection it was at."""

    def __init__(self, owner: HistoryClient, projections: Mapping[Projection, Making], clock: Clock) -> None:
        """`projections` in the order in which they follow from one another."""
        self._owner = owner
        self._projections = projections
        self._clock = clock

    async def run(self, pause_s: float, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Looks for what was asked for until cancelled; waits while ClickHouse is away."""
        while True:
            try:
                await self.step()
            except HistoryUnavailable:
                _log.warning("the history does not answer; a rebuild waits")
                await pause(_RETRY_S)
            else:
                await pause(pause_s)

    async def step(self) -> None:
        """Carries out what is asked for now. HistoryUnavailable."""
        asked = await self._owner.rows(query("open_rebuilds"), {"since": self._clock.now_ms() - _LATELY_MS})
        for rebuild_id, projection, check_only, done in asked:
            for number in self._wanted(projection):
                if number not in done:
                    await self._carry_out(rebuild_id, number, check_only)

    def _wanted(self, projection: Projection) -> Sequence[Projection]:
        if projection == rebuild_pb2.HISTORY_PROJECTION_UNSPECIFIED:
            return tuple(self._projections)
        return (projection,)

    async def _carry_out(self, rebuild_id: str, number: Projection, check_only: bool) -> None:
        _log.info("rebuild begins", extra={"rebuild_id": rebuild_id, "projection": number, "check_only": check_only})
        await self._note(rebuild_id, number, rebuild_pb2.REBUILD_STATE_RUNNING, 0, 0)
        try:
            rows, differences = await self._projections[number](check_only)
        except HistoryUnavailable:
            raise
        except HistoryError as refused:
            _log.error("rebuild failed: %s", refused, extra={"rebuild_id": rebuild_id, "projection": number})
            await self._note(rebuild_id, number, rebuild_pb2.REBUILD_STATE_FAILED, 0, 0)
            return
        for difference in differences[:_MOST_DIFFERENCES]:
            await self._owner.execute(
                query("note_difference"),
                {
                    "rebuild_id": rebuild_id,
                    "projection": number,
                    "lot": difference.lot_id,
                    "month": difference.month,
                    "held": difference.held,
                    "rebuilt": difference.rebuilt,
                    "ids": list(difference.record_ids),
                },
            )
        state = rebuild_pb2.REBUILD_STATE_EQUAL
        if differences:
            state = rebuild_pb2.REBUILD_STATE_DIFFERENT if check_only else rebuild_pb2.REBUILD_STATE_REPAIRED
        await self._note(rebuild_id, number, state, rows, len(differences))
        _log.info(
            "rebuild done",
            extra={"rebuild_id": rebuild_id, "projection": number, "rows": rows, "different": len(differences)},
        )

    async def _note(self, rebuild_id: str, number: Projection, state: int, rows: int, different: int) -> None:
        told: dict[str, Any] = {"rebuild_id": rebuild_id, "projection": number, "state": state}
        told |= {"rows": rows, "different": different, "now": self._clock.now_ms()}
        await self._owner.execute(query("note_rebuild"), told)
