"""`parkmesh admin devices`: the devices of a lot."""

from typing import Final

from parkmesh.registry.v1 import registry_service_pb2 as service
from parkmesh.registry.v1.device_pb2 import DeviceType
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.gates import STATES
from parkmesh_cli.admin.grants import Lot
from parkmesh_cli.admin.history import AsOf, Known
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Devices of lots. 设备")

TYPES: Final = Words(DeviceType.DESCRIPTOR)
DEVICES: Final = (
    Column("device 编号", lambda device: device.device_id, whole=True),
    Column("type 类型", lambda device: TYPES.word(device.type)),
    Column("gate 出入口", lambda device: device.gate_id),
    Column("lane 车道", lambda device: device.lane_id),
    Column("maker 制造商", lambda device: device.maker),
    Column("model 型号", lambda device: device.model),
    Column("state 状态", lambda device: STATES.word(device.state)),
    time("seen 最近在线", "last_seen_time"),
)

_LIST: Final = Method.of(
    service.DESCRIPTOR, "RegistryService", "ListDevices", service.ListDevicesRequest, service.ListDevicesResponse
)


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk, lot: Lot, as_of: AsOf = None, known: Known = None) -> None:
    """Lists the devices of a lot, as they are or were. 设备列表"""
    request = service.ListDevicesRequest(lot_id=lot, as_of_time=as_of, known_time=known)
    desk.show_all(await desk.every(_LIST, request, "devices"), DEVICES)
