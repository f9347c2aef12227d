"""`parkmesh admin gates`: the gates of a lot and their lanes."""

from typing import Final

from parkmesh.registry.v1 import registry_service_pb2 as service
from parkmesh.registry.v1.gate_pb2 import LaneDirection, ServiceState
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.grants import Lot
from parkmesh_cli.admin.history import AsOf, Known
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Gates and their lanes. 出入口与车道")

STATES: Final = Words(ServiceState.DESCRIPTOR)
DIRECTIONS: Final = Words(LaneDirection.DESCRIPTOR)
GATES: Final = (
    Column("gate 编号", lambda gate: gate.gate_id, whole=True),
    Column("name 名称", lambda gate: gate.name),
    Column(
        "lanes 车道", lambda gate: ", ".join(f"{lane.lane_id}:{DIRECTIONS.word(lane.direction)}" for lane in gate.lanes)
    ),
    Column("address 地址", lambda gate: gate.address),
    Column("state 状态", lambda gate: STATES.word(gate.state)),
)

_LIST: Final = Method.of(
    service.DESCRIPTOR, "RegistryService", "ListGates", service.ListGatesRequest, service.ListGatesResponse
)


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk, lot: Lot, as_of: AsOf = None, known: Known = None) -> None:
    """Lists the gates of a lot, as they are or were. 出入口列表"""
    request = service.ListGatesRequest(lot_id=lot, as_of_time=as_of, known_time=known)
    desk.show_all(await desk.every(_LIST, request, "gates"), GATES)
