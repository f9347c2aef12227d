"""`parkmesh admin audit`: who did what, in a chain that cannot be altered unseen."""

import re
from typing import Annotated, Final, NamedTuple

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import audit_service_pb2 as service
from parkmesh.registry.v1.audit_service_pb2 import AuditOutcome
from parkmesh_sdk import Method

from parkmesh_cli import screen
from parkmesh_cli.admin import moments
from parkmesh_cli.admin.accounts import ROLES
from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.changes import Limit
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words
from parkmesh_cli.errors import FAILED

app = group("The audit trail. 审计")

OUTCOMES: Final = Words(AuditOutcome.DESCRIPTOR)
ENTRIES: Final = (
    Column("no. 序号", lambda entry: entry.number, whole=True),
    time("time 时间", "time"),
    Column("action 操作", lambda entry: entry.action),
    Column("target 对象", lambda entry: entry.target),
    Column("by 操作人", lambda entry: f"{ROLES.word(entry.role)} {entry.account_id or entry.client_id}"),
    Column("outcome 结果", lambda entry: f"{OUTCOMES.word(entry.outcome)} {entry.refusal}".rstrip()),
)

_FILE: Final = service.DESCRIPTOR
_LIST: Final = Method.of(
    _FILE, "AuditService", "ListAuditEntries", service.ListAuditEntriesRequest, service.ListAuditEntriesResponse
)
_VERIFY: Final = Method.of(
    _FILE, "AuditService", "VerifyAuditTrail", service.VerifyAuditTrailRequest, service.VerifyAuditTrailResponse
)
_NOTED: Final = re.compile("([1-9][0-9]{0,17}):([0-9a-f]{64})")


class Noted(NamedTuple):
    """An entry's number and hash, as they were noted down."""

    number: int
    hash: str


def noted(given: str) -> Noted:
    """What `NUMBER:HASH` says; BadParameter."""
    found = _NOTED.fullmatch(given.lower())
    if found is None:
        raise typer.BadParameter("must be a number, a colon and 64 hexadecimal digits 须为“序号:哈希”")
    return Noted(int(found[1]), found[2])


@app.command(name="list")
@asks(Office.AUDIT)
async def list_(
    desk: Desk,
    start: Annotated[Timestamp | None, moments.option("--from", help="Only from then on. 时间起")] = None,
    end: Annotated[Timestamp | None, moments.option("--until", help="Only before then. 时间止")] = None,
    subject: Annotated[str, typer.Option(help="Only those on this one's behalf. 主体")] = "",
    account: Annotated[str, typer.Option(help="Only those of this account. 账号标识")] = "",
    action: Annotated[str, typer.Option(help="Only this: e.g. VendorService.RevokeCredential. 操作")] = "",
    newest: Annotated[bool, typer.Option("--newest/--oldest", help="Which come first. 倒序或正序")] = True,
    limit: Limit = 100,
) -> None:
    """Lists who did what, or was refused it. 审计列表"""
    request = service.ListAuditEntriesRequest(
        from_time=start, before_time=end, subject=subject, account_id=account, action=action, newest_first=newest
    )
    desk.show_all(await desk.every(_LIST, request, "entries", limit), ENTRIES)


@app.command()
@asks(Office.AUDIT)
async def verify(
    desk: Desk,
    known: Annotated[
        Noted | None,
        typer.Option(
            parser=noted,
            metavar="NUMBER:HASH",
            help="An entry noted before, on paper: it must still be so. 已知序号与哈希",
        ),
    ] = None,
) -> int:
    """Recomputes the whole chain, and ends with exit code 1 when it is broken. 校验审计链

    Note its last hash down where nobody can alter it, and give it with --known the next time.
    """
    request = service.VerifyAuditTrailRequest()
    if known:
        request.known_number, request.known_hash = known
    found = await desk.call(_VERIFY, request)
    desk.show(found)
    if found.intact:
        screen.say(f"Intact. 完整 Note down 请记录: {found.entries}:{found.head_hash}")
        return 0
    screen.say(f"Broken 异常, no. {found.first_broken}: {found.problem} {found.problem_zh}")
    return FAILED
