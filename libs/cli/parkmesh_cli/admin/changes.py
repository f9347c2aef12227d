"""`parkmesh admin changes`: what changed, who reported it, and whether in time (R6.2)."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import change_service_pb2 as service
from parkmesh.registry.v1.change_service_pb2 import FactKind
from parkmesh_sdk import Method

from parkmesh_cli.admin import moments
from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words

app = group("The history of every registered fact, and the departments' receipts. 变更历史与签收")

KINDS: Final = Words(FactKind.DESCRIPTOR)
_HOUR_S: Final = 3_600
_AT_ONCE: Final = 1_000
_SPAN: Final = re.compile("([0-9]{1,18})(?:-([0-9]{1,18}))?")


def _late(change: service.Change) -> str:
    if not change.HasField("lateness"):
        return moments.ABSENT
    late_s = change.lateness.late_seconds
    return f"late 逾期 {late_s // _HOUR_S} h {late_s % _HOUR_S // 60} min" if change.lateness.late else "in time 按时"


CHANGES: Final = (
    Column("no. 序号", lambda change: change.revision, whole=True),
    Column("object 对象", lambda change: change.name),
    Column("fields 变更字段", lambda change: ", ".join(change.fields)),
    Column("author 报送方", lambda change: change.author),
    Column(
        "true from 生效时间\nreported 报送时间\n+08:00",
        lambda change: moments.span(change, "effective_time", "report_time"),
        whole=True,
    ),
    Column("R6.2 时限", _late),
    Column("received 签收", lambda change: ", ".join(receipt.department for receipt in change.receipts)),
)

_FILE: Final = service.DESCRIPTOR
_LIST: Final = Method.of(_FILE, "ChangeService", "ListChanges", service.ListChangesRequest, service.ListChangesResponse)
_RECEIVE: Final = Method.of(
    _FILE, "ChangeService", "ReceiveChanges", service.ReceiveChangesRequest, service.ReceiveChangesResponse
)

Late = Annotated[bool, typer.Option("--late", help="Only those reported too late. 仅逾期")]
OfLot = Annotated[str, typer.Option("--lot", help="Only what concerns this lot. 停车场标识")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many. 条数上限")]


async def listed(desk: Desk, limit: int, **conditions: Any) -> Sequence[service.Change]:
    """The changes that these fields of a ListChangesRequest ask for."""
    return await desk.every(_LIST, service.ListChangesRequest(**conditions), "changes", limit)


def span(given: str) -> range:
    """The numbers that `12` or `12-20` stands for, at most 1,000; BadParameter."""
    found = _SPAN.fullmatch(given)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 0 < last - first + 1 <= _AT_ONCE or not first:
        raise typer.BadParameter(
            "must be a change's number, or two with a dash, such as 12 or 12-20, 1,000 at once 须为序号或序号范围"
        )
    return range(first, last + 1)


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(
    desk: Desk,
    late: Late = False,
    kinds: Annotated[
        list[FactKind.ValueType] | None, KINDS.option("--kind", help="Only these kinds; repeatable. 对象类别")
    ] = None,
    lot: OfLot = "",
    author: Annotated[str, typer.Option(help="Only those of this author. 报送方")] = "",
    survey: Annotated[str, typer.Option(help="Only those that came with this survey. 普查标识")] = "",
    start: Annotated[
        Timestamp | None, moments.option("--from", help="Only those reported from then on. 报送时间起")
    ] = None,
    end: Annotated[
        Timestamp | None, moments.option("--until", help="Only those reported before then. 报送时间止")
    ] = None,
    newest: Annotated[bool, typer.Option("--newest/--oldest", help="Which come first. 倒序或正序")] = True,
    limit: Limit = 100,
) -> None:
    """Lists changes with author, effective time and report time. 变更列表

    --json also has the reasons, and the objects before and after.
    """
    found = await listed(
        desk,
        limit,
        kinds=kinds,
        lot_id=lot,
        author=author,
        change_set=survey,
        reported_from=start,
        reported_before=end,
        late_only=late,
        newest_first=newest,
    )
    desk.show_all(found, CHANGES)


@app.command()
@asks(Office.SESSION)
async def inbox(
    desk: Desk,
    late: Late = False,
    lot: OfLot = "",
    limit: Limit = 100,
) -> None:
    """Lists what your department has not received yet, the oldest first; log in first. 待签收变更"""
    found = await listed(desk, limit, awaiting_receipt=True, late_only=late, lot_id=lot)
    desk.show_all(found, CHANGES)


@app.command()
@asks(Office.SESSION)
async def receive(
    desk: Desk,
    revisions: Annotated[
        list[range], typer.Argument(parser=span, metavar="NUMBER…", help="Their numbers: 12, or 12-20. 变更序号")
    ],
) -> None:
    """Records that your department has taken note of changes; log in first. 签收变更"""
    numbers = sorted({number for each in revisions for number in each})
    desk.show(await desk.call(_RECEIVE, service.ReceiveChangesRequest(revisions=numbers)))
