"""`parkmesh admin coverage`: known lots that are not connected, or have fallen silent (R6.1, R6.3)."""

from typing import Annotated, Final

import typer
from parkmesh.access.v1 import coverage_service_pb2 as service
from parkmesh.access.v1.coverage_service_pb2 import (
    COVERAGE_STATE_NEVER_REPORTED,
    COVERAGE_STATE_NOT_CONNECTED,
    COVERAGE_STATE_SILENT,
    CoverageState,
)
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.lots import STATES
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

COVERAGE: Final = Words(CoverageState.DESCRIPTOR)
_UNHEARD: Final = (COVERAGE_STATE_NOT_CONNECTED, COVERAGE_STATE_NEVER_REPORTED, COVERAGE_STATE_SILENT)
LOTS: Final = (
    Column("lot 停车场标识", lambda lot: lot.lot_id, whole=True),
    Column("name 名称", lambda lot: lot.name),
    Column("division 区划", lambda lot: lot.division_code),
    Column("state 状态", lambda lot: STATES.word(lot.lot_state)),
    Column("heard 接入", lambda lot: COVERAGE.word(lot.coverage_state), whole=True),
    time("last record 最近接收", "last_accept_time"),
)

_LIST: Final = Method.of(
    service.DESCRIPTOR,
    "CoverageService",
    "ListLotCoverage",
    service.ListLotCoverageRequest,
    service.ListLotCoverageResponse,
)


@asks(Office.ADMINISTRATOR)
async def coverage(
    desk: Desk,
    states: Annotated[
        list[CoverageState.ValueType] | None,
        COVERAGE.option("--state", help="Only these; repeatable; unset: all that are not reporting. 接入状态"),
    ] = None,
    division: Annotated[str, typer.Option(help="Only this division; 350300 is all of Putian. 行政区划代码")] = "",
    silent_after: Annotated[
        int | None,
        typer.Option(
            min=1, max=8760, help="Hours after which a lot is silent; unset: the rule in force. 失联判定小时数"
        ),
    ] = None,
    out_of_scope: Annotated[
        bool, typer.Option("--out-of-scope", help="Also lots that the regulation does not apply to. 含管理范围之外")
    ] = False,
) -> None:
    """Lists the lots that are not connected, never reported, or have fallen silent. 接入覆盖"""
    request = service.ListLotCoverageRequest(
        coverage_states=states or _UNHEARD,
        division_code=division,
        silent_after_hours=silent_after,
        include_out_of_scope=out_of_scope,
    )
    desk.show_all(await desk.every(_LIST, request, "lots"), LOTS)
