"""`parkmesh history`: makes projections of the history anew and proves them equal, or repairs them."""

import asyncio
from typing import Annotated, Final

import typer
from parkmesh.access.v1 import maintenance_service_pb2 as service
from parkmesh.access.v1 import rebuild_pb2
from parkmesh.access.v1.rebuild_pb2 import HistoryProjection, Rebuild, RebuildState
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, table
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words
from parkmesh_cli.errors import FAILED
from parkmesh_cli.screen import say

app = group("The history and what follows from it. 历史库维护")

PROJECTIONS: Final = Words(HistoryProjection.DESCRIPTOR)
STATES: Final = Words(RebuildState.DESCRIPTOR)
RESULTS: Final = (
    Column("projection 投影", lambda part: PROJECTIONS.word(part.projection), whole=True),
    Column("state 状态", lambda part: STATES.word(part.state), whole=True),
    Column("rows 比对行数", lambda part: part.compared_rows, whole=True),
    Column("different lot-months 差异场月数", lambda part: part.different_lot_months),
)
DIFFERENCES: Final = (
    Column("lot 停车场标识", lambda one: one.lot_id, whole=True),
    Column("month 月份", lambda one: one.month, whole=True),
    Column("rows 原有行数", lambda one: one.held_rows, whole=True),
    Column("must be 应有行数", lambda one: one.rebuilt_rows, whole=True),
    Column("some records 部分记录", lambda one: ", ".join(one.record_ids)),
)
_REBUILD: Final = Method.of(
    service.DESCRIPTOR, "MaintenanceService", "RebuildHistory", service.RebuildHistoryRequest, Rebuild
)
_GET: Final = Method.of(service.DESCRIPTOR, "MaintenanceService", "GetRebuild", service.GetRebuildRequest, Rebuild)
_UNDER_WAY: Final = (rebuild_pb2.REBUILD_STATE_REQUESTED, rebuild_pb2.REBUILD_STATE_RUNNING)
_UNWELL: Final = (rebuild_pb2.REBUILD_STATE_DIFFERENT, rebuild_pb2.REBUILD_STATE_FAILED)
_PAUSE_S: Final = 0.5


@app.command("rebuild")
@asks(Office.ADMINISTRATOR)
async def rebuild(
    desk: Desk,
    projection: Annotated[
        HistoryProjection.ValueType | None, PROJECTIONS.option("--projection", help="Which one; unset: all. 投影")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare, change nothing. 仅比对")] = False,
) -> int:
    """Makes projections anew from all reports, compares every row, and repairs what differs. 重建并比对

    Exit code 0 when all is equal or repaired, 1 when it differs and was only compared, or failed.
    """
    request = service.RebuildHistoryRequest(projection=projection or 0, check_only=check)  # type: ignore[arg-type]
    asked = await desk.call(_REBUILD, request)
    say(f"Rebuild {asked.rebuild_id} is noted; `parkmesh history result` tells of it later, too. 已受理")
    return await _told(desk, asked)


@app.command("result")
@asks(Office.ADMINISTRATOR)
async def result(
    desk: Desk,
    rebuild_id: Annotated[str, typer.Argument(help="The rebuild's id. 重建编号")],
) -> int:
    """Waits for a rebuild that was asked for and tells what came of it. 查询重建结果"""
    return await _told(desk, await desk.call(_GET, service.GetRebuildRequest(rebuild_id=rebuild_id)))


async def _told(desk: Desk, rebuild: Rebuild) -> int:
    while rebuild.state in _UNDER_WAY:
        await asyncio.sleep(_PAUSE_S)
        rebuild = await desk.call(_GET, service.GetRebuildRequest(rebuild_id=rebuild.rebuild_id))
    differences = [one for part in rebuild.projections for one in part.differences]
    tables = [table(rebuild.projections, RESULTS), *([table(differences, DIFFERENCES)] if differences else [])]
    desk.show(rebuild, *tables)
    return FAILED if rebuild.state in _UNWELL else 0
