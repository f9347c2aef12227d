"""`parkmesh admin berths`: the berths of a lot."""

from typing import Final

from parkmesh.registry.v1 import registry_service_pb2 as service
from parkmesh.registry.v1.lot_pb2 import BerthClass
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.gates import STATES
from parkmesh_cli.admin.grants import Lot
from parkmesh_cli.admin.history import AsOf, Known
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Berths of lots. 泊位")

CLASSES: Final = Words(BerthClass.DESCRIPTOR)
BERTHS: Final = (
    Column("berth 编号", lambda berth: berth.berth_id, whole=True),
    Column("police code 公安编码", lambda berth: berth.police_code, whole=True),
    Column("class 类别", lambda berth: CLASSES.word(berth.berth_class)),
    Column("aliases 别名", lambda berth: ", ".join(alias.text for alias in berth.aliases)),
    Column("place 位置", lambda berth: berth.place),
    Column("state 状态", lambda berth: STATES.word(berth.state)),
)

_LIST: Final = Method.of(
    service.DESCRIPTOR, "RegistryService", "ListBerths", service.ListBerthsRequest, service.ListBerthsResponse
)


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk, lot: Lot, as_of: AsOf = None, known: Known = None) -> None:
    """Lists the berths of a lot, as they are or were. 泊位列表"""
    request = service.ListBerthsRequest(lot_id=lot, as_of_time=as_of, known_time=known)
    desk.show_all(await desk.every(_LIST, request, "berths"), BERTHS)
