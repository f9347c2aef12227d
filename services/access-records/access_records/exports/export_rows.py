"""The rows of an export: which lots they may be of, how many there are, and the rows themselves."""

from collections import UserString
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from directory import Directory
from history.client import HistoryClient, Row
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1.journal_pb2 import ExportRequest
from vocabulary import beijing

from access_records.exports.sheets import Column
from access_records.exports.views import VIEWS, View
from access_records.queries import query
from access_records.statistics import scope

_DEADLINE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ExportRows:
    """Reads published views. HistoryError when ClickHouse is away."""

    directory: Directory
    history: HistoryClient

    async def columns(self, view: View) -> list[Column]:
        """The view's columns with their types."""
        rows = await self.history.rows(query("view_columns"), {"view": view.name})
        return [(name, told) for name, told in rows]

    def lots(self, request: ExportRequest, now_ms: int) -> list[str]:
        """The lots that the requester may export now, of those asked for; LOT_NOT_FOUND when one is named that is not
        in sight. Operators export their own, other departments those in service, the city's own people all.
        """
        caller = Caller(CallerKind(request.kind), request.subject_id, request.client_id, request.account_id)
        self.directory.require_fresh(now_ms)
        if request.lot_ids:
            named = (scope.Wanted(lot_id=lot_id) for lot_id in request.lot_ids)
            return [lot.lot_id for one in named for lot in scope.lots(self.directory, caller, one, now_ms)]
        every = scope.Wanted(include_inactive=True)
        return [lot.lot_id for lot in scope.lots(self.directory, caller, every, now_ms)]

    async def count(self, request: ExportRequest, lots: Sequence[str]) -> int:
        """How many rows there are now."""
        if not lots:
            return 0
        ((count,),) = await self.history.rows(
            f"SELECT count() {_from(request)}",
            _parameters(lots, request.start_ms, request.end_ms),
            deadline=_DEADLINE_S,
        )
        return int(count)

    async def blocks(self, request: ExportRequest, lots: Sequence[str]) -> AsyncIterator[list[Row]]:
        """The rows, block by block, hour by hour: no query runs for long, however many rows there are."""
        view = VIEWS[request.view]
        # Columns were held against the view's own when the export was asked for.
        columns = ", ".join(f"`{column}`" for column in request.columns)
        sql = f"SELECT {columns} {_from(request)} ORDER BY {view.order}"
        hours = range(request.start_ms, request.end_ms, beijing.HOUR_MS) if view.time else range(1)
        for start_ms in hours:
            parameters = _parameters(lots, start_ms, start_ms + beijing.HOUR_MS)
            async with self.history.blocks(sql, parameters, deadline=_DEADLINE_S) as blocks:
                async for block in blocks:
                    yield block


def _from(request: ExportRequest) -> str:
    view = VIEWS[request.view]
    window = (
        f" AND {view.time} >= fromUnixTimestamp64Milli({{start:Int64}})"
        f" AND {view.time} < fromUnixTimestamp64Milli({{end:Int64}})"
        if view.time
        else ""
    )
    return f"FROM parkmesh.{view.name} WHERE lot_id IN splitByChar(' ', {{lots:String}}){window}"


def _parameters(lots: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Any]:
    # No id holds what must be escaped, and a UserString is not: the driver looks at a str character by character.
    return {"lots": UserString(" ".join(lots)), "start": start_ms, "end": end_ms}
