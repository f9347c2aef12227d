"""`parkmesh admin lots`: what they are, where they stand in their life, and what became of them."""

from typing import Annotated, Final

import typer
from parkmesh.registry.v1 import lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as service
from parkmesh.registry.v1.lot_pb2 import LotFlag, LotState
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changes import CHANGES, Limit, listed
from parkmesh_cli.admin.changing import Etag
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.grants import Lot
from parkmesh_cli.admin.history import AsOf, Known
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Lots, and where they stand. 停车场")

STATES: Final = Words(LotState.DESCRIPTOR)
FLAGS: Final = Words(LotFlag.DESCRIPTOR)
LOTS: Final = (
    Column("lot 停车场标识", lambda lot: lot.lot_id, whole=True),
    Column("number 登记编号", lambda lot: lot.registration_number),
    Column("name 名称", lambda lot: lot.name),
    Column("division 区划", lambda lot: lot.division_code),
    Column("open 泊位", lambda lot: lot.open_berths),
    Column("state 状态", lambda lot: STATES.word(lot.state)),
    Column("noticed 提示", lambda lot: ", ".join(map(FLAGS.word, lot.flags))),
)

_FILE: Final = service.DESCRIPTOR
_GET: Final = Method.of(_FILE, "RegistryService", "GetLot", service.GetLotRequest, lot_pb2.Lot)
_LIST: Final = Method.of(_FILE, "RegistryService", "ListLots", service.ListLotsRequest, service.ListLotsResponse)
_SUBMIT: Final = Method.of(_FILE, "RegistryService", "SubmitLot", service.SubmitLotRequest, lot_pb2.Lot)
_REVIEW: Final = Method.of(_FILE, "RegistryService", "ReviewLot", service.ReviewLotRequest, lot_pb2.Lot)


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(
    desk: Desk,
    operator: Annotated[str, typer.Option(help="Only those of this operator. 经营管理者标识")] = "",
    division: Annotated[str, typer.Option(help="Only those in this division, six digits. 行政区划代码")] = "",
    state: Annotated[LotState.ValueType | None, STATES.option("--state", help="Only those in this state. 状态")] = None,
    as_of: AsOf = None,
    known: Known = None,
) -> None:
    """Lists the lots, as they are or were. 停车场列表"""
    request = service.ListLotsRequest(
        operator_id=operator,
        division_code=division,
        state=state or LotState.LOT_STATE_UNSPECIFIED,
        as_of_time=as_of,
        known_time=known,
    )
    desk.show_all(await desk.every(_LIST, request, "lots"), LOTS)


@app.command()
@asks(Office.ADMINISTRATOR)
async def show(desk: Desk, lot: Lot, as_of: AsOf = None, known: Known = None) -> None:
    """Shows a lot, as it is or was. 查询停车场"""
    desk.show(await desk.call(_GET, service.GetLotRequest(lot_id=lot, as_of_time=as_of, known_time=known)))


@app.command()
@asks(Office.ADMINISTRATOR)
async def submit(desk: Desk, lot: Lot, etag: Etag = "") -> None:
    """Files a draft for review. 提交审核"""
    desk.show(await desk.call(_SUBMIT, service.SubmitLotRequest(lot_id=lot, etag=etag)))


@app.command()
@asks(Office.SESSION)
async def review(
    desk: Desk,
    lot: Lot,
    state: Annotated[LotState.ValueType, STATES.option("--state", help="The state that it gets. 审核后状态")],
    comment: Annotated[str, typer.Option(help="What you say; needed for all but active. 意见")] = "",
    etag: Etag = "",
) -> None:
    """Records your department's decision about a lot; log in first. 审核停车场"""
    request = service.ReviewLotRequest(lot_id=lot, state=state, comment=comment, etag=etag)
    desk.show(await desk.call(_REVIEW, request))


@app.command()
@asks(Office.ADMINISTRATOR)
async def changes(desk: Desk, lot: Lot, limit: Limit = 100) -> None:
    """Lists what changed of a lot, its gates, devices and berths, the newest first. 变更历史"""
    desk.show_all(await listed(desk, limit, lot_id=lot, newest_first=True), CHANGES)
