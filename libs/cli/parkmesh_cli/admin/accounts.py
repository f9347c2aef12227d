"""`parkmesh admin accounts`: the people who use the platform."""

from typing import Annotated, Final

import typer
from parkmesh.registry.v1 import account_pb2
from parkmesh.registry.v1 import account_service_pb2 as service
from parkmesh.registry.v1.account_pb2 import AccountState
from parkmesh.registry.v1.role_pb2 import Role
from parkmesh_sdk import Method

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changing import Reason
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("Accounts of people. 个人账号")

ROLES: Final = Words(Role.DESCRIPTOR)
STATES: Final = Words(AccountState.DESCRIPTOR)


def _of(account: account_pb2.Account) -> str:
    return account.operator_id or account.department or ", ".join(account.lot_ids)


ACCOUNTS: Final = (
    Column("account 账号标识", lambda account: account.account_id, whole=True),
    Column("login 登录名", lambda account: account.login),
    Column("name 姓名", lambda account: account.name),
    Column("person 工号", lambda account: account.person_number),
    Column("role 角色", lambda account: f"{ROLES.word(account.role)} {_of(account)}".rstrip()),
    Column("state 状态", lambda account: STATES.word(account.state)),
)

_FILE: Final = service.DESCRIPTOR
_CREATE: Final = Method.of(
    _FILE, "AccountService", "CreateAccount", service.CreateAccountRequest, service.CreateAccountResponse
)
_LIST: Final = Method.of(
    _FILE, "AccountService", "ListAccounts", service.ListAccountsRequest, service.ListAccountsResponse
)
_LOCK: Final = Method.of(_FILE, "AccountService", "LockAccount", service.LockAccountRequest, account_pb2.Account)
_UNLOCK: Final = Method.of(_FILE, "AccountService", "UnlockAccount", service.UnlockAccountRequest, account_pb2.Account)
_CLOSE: Final = Method.of(_FILE, "AccountService", "CloseAccount", service.CloseAccountRequest, account_pb2.Account)
_RESET: Final = Method.of(
    _FILE, "AccountService", "ResetAccount", service.ResetAccountRequest, service.ResetAccountResponse
)
_CONFIRM: Final = Method.of(
    _FILE, "AccountService", "ConfirmAccount", service.ConfirmAccountRequest, service.ConfirmAccountResponse
)

Account = Annotated[str, typer.Argument(help="The account's id. 账号标识")]


@app.command()
@asks(Office.SECURITY)
async def create(
    desk: Desk,
    login: Annotated[str, typer.Option(help="What the person logs in with. 登录名")],
    name: Annotated[str, typer.Option(help="The person's name. 姓名")],
    number: Annotated[str, typer.Option(help="The person's staff number. 工号")],
    role: Annotated[Role.ValueType, ROLES.option("--role", help="What the person may do. 角色")],
    operator: Annotated[str, typer.Option(help="For operators' people: the operator. 经营管理者标识")] = "",
    department: Annotated[str, typer.Option(help="For departments' people: e.g. police. 部门")] = "",
    lots: Annotated[
        list[str] | None, typer.Option("--lot", help="For collectors: a lot; repeatable. 停车场标识")
    ] = None,
    reason: Reason = "",
) -> None:
    """Creates an account; its owner sets it up with the one-time code: `parkmesh activate`. 创建账号"""
    account = account_pb2.Account(
        login=login,
        name=name,
        person_number=number,
        role=role,
        operator_id=operator,
        department=department,
        lot_ids=lots,
    )
    desk.show_once(await desk.call(_CREATE, service.CreateAccountRequest(account=account, reason=reason)))


@app.command(name="list")
@asks(Office.SECURITY)
async def list_(desk: Desk) -> None:
    """Lists the accounts. 账号列表"""
    desk.show_all(await desk.every(_LIST, service.ListAccountsRequest(), "accounts"), ACCOUNTS)


@app.command()
@asks(Office.SECURITY)
async def lock(desk: Desk, account: Account, reason: Reason = "") -> None:
    """Locks an account and ends its sessions at once. 锁定账号"""
    desk.show(await desk.call(_LOCK, service.LockAccountRequest(account_id=account, reason=reason)))


@app.command()
@asks(Office.SECURITY)
async def unlock(desk: Desk, account: Account, reason: Reason = "") -> None:
    """Unlocks an account, also one that wrong passwords have locked for a time. 解锁账号"""
    desk.show(await desk.call(_UNLOCK, service.UnlockAccountRequest(account_id=account, reason=reason)))


@app.command()
@asks(Office.SECURITY)
async def close(desk: Desk, account: Account, reason: Reason = "") -> None:
    """Closes an account for good and ends its sessions at once. 注销账号"""
    desk.show(await desk.call(_CLOSE, service.CloseAccountRequest(account_id=account, reason=reason)))


@app.command()
@asks(Office.SECURITY)
async def reset(desk: Desk, account: Account, reason: Reason = "") -> None:
    """Takes password and second factor away, ends the sessions, and makes a new one-time code. 重置账号"""
    desk.show_once(await desk.call(_RESET, service.ResetAccountRequest(account_id=account, reason=reason)))


@app.command()
@asks(Office.ADMINISTRATOR)
async def confirm(desk: Desk, account: Account, reason: Reason = "") -> None:
    """Confirms an administrator's account that is new or was reset, and prints its one-time code. 确认管理员账号"""
    desk.show_once(await desk.call(_CONFIRM, service.ConfirmAccountRequest(account_id=account, reason=reason)))
