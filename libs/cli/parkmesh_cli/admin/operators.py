"""`parkmesh admin operators`: who runs lots and bears their duties."""

from typing import Annotated, Final

import typer
from parkmesh.registry.v1 import operator_pb2
from parkmesh.registry.v1 import registry_service_pb2 as service
from parkmesh.registry.v1.operator_pb2 import OperatorState
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changing import Clear, Contacts, Effective, Etag, Reason, mask
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.history import AsOf, Known
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Operators, who run lots. 经营管理者")

STATES: Final = Words(OperatorState.DESCRIPTOR)
OPERATORS: Final = (
    Column("operator 经营管理者标识", lambda operator: operator.operator_id, whole=True),
    Column("name 名称", lambda operator: operator.name),
    Column("credit code 信用代码", lambda operator: operator.credit_code, whole=True),
    Column("complaints 投诉电话", lambda operator: operator.complaint_phone),
    Column("state 状态", lambda operator: STATES.word(operator.state)),
)

_FILE: Final = service.DESCRIPTOR
_CREATE: Final = Method.of(
    _FILE, "RegistryService", "CreateOperator", service.CreateOperatorRequest, operator_pb2.Operator
)
_GET: Final = Method.of(_FILE, "RegistryService", "GetOperator", service.GetOperatorRequest, operator_pb2.Operator)
_LIST: Final = Method.of(
    _FILE, "RegistryService", "ListOperators", service.ListOperatorsRequest, service.ListOperatorsResponse
)
_UPDATE: Final = Method.of(
    _FILE, "RegistryService", "UpdateOperator", service.UpdateOperatorRequest, operator_pb2.Operator
)

Operator = Annotated[str, typer.Argument(help="The operator's id. 经营管理者标识")]
Address = Annotated[str, typer.Option(help="Its address. 地址")]
ComplaintPhone = Annotated[str, typer.Option(help="Where the public complains. 投诉电话")]


@app.command()
@asks(Office.ADMINISTRATOR)
async def create(
    desk: Desk,
    name: Annotated[str, typer.Option(help="Its name, as registered. 名称")],
    credit_code: Annotated[str, typer.Option(help="Its unified social credit code. 统一社会信用代码")],
    address: Address = "",
    complaint_phone: ComplaintPhone = "",
    contacts: Contacts = None,
    reason: Reason = "",
    effective: Effective = None,
) -> None:
    """Registers an operator. 登记经营管理者"""
    operator = operator_pb2.Operator(
        name=name, credit_code=credit_code, address=address, complaint_phone=complaint_phone, contacts=contacts
    )
    request = service.CreateOperatorRequest(operator=operator, reason=reason, effective_time=effective)
    desk.show(await desk.call(_CREATE, request))


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk, as_of: AsOf = None, known: Known = None) -> None:
    """Lists the operators, as they are or were. 经营管理者列表"""
    request = service.ListOperatorsRequest(as_of_time=as_of, known_time=known)
    desk.show_all(await desk.every(_LIST, request, "operators"), OPERATORS)


@app.command()
@asks(Office.ADMINISTRATOR)
async def show(desk: Desk, operator: Operator, as_of: AsOf = None, known: Known = None) -> None:
    """Shows an operator, as it is or was. 查询经营管理者"""
    request = service.GetOperatorRequest(operator_id=operator, as_of_time=as_of, known_time=known)
    desk.show(await desk.call(_GET, request))


@app.command()
@asks(Office.ADMINISTRATOR)
async def update(
    desk: Desk,
    operator: Operator,
    name: Annotated[str, typer.Option(help="Its new name. 名称")] = "",
    credit_code: Annotated[str, typer.Option(help="Its new unified social credit code. 统一社会信用代码")] = "",
    address: Address = "",
    complaint_phone: ComplaintPhone = "",
    contacts: Contacts = None,
    state: Annotated[
        OperatorState.ValueType | None, STATES.option("--state", help="Whether it still runs lots. 状态")
    ] = None,
    clear: Clear = None,
    etag: Etag = "",
    reason: Reason = "",
    effective: Effective = None,
) -> None:
    """Changes what is named of an operator, and nothing else. 变更经营管理者"""
    changed = operator_pb2.Operator(
        name=name,
        credit_code=credit_code,
        address=address,
        complaint_phone=complaint_phone,
        contacts=contacts,
        state=state or OperatorState.OPERATOR_STATE_UNSPECIFIED,
        etag=etag,
    )
    request = service.UpdateOperatorRequest(
        operator_id=operator,
        operator=changed,
        update_mask=mask(changed, clear),
        reason=reason,
        effective_time=effective,
    )
    desk.show(await desk.call(_UPDATE, request))
