"""The `parkmesh` command."""

import math
import time
from dataclasses import replace
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from parkmesh_sdk import Protocol
from parkmesh_sdk.reconciliation import Policy, Winner

from parkmesh_cli import analyst, sessions
from parkmesh_cli.admin.app import app as admin
from parkmesh_cli.admin.rebuilds import app as history
from parkmesh_cli.collect.collect import collect
from parkmesh_cli.demo.demo import demo as play_demo
from parkmesh_cli.errors import CliError, MisuseError, run
from parkmesh_cli.near import Point, System
from parkmesh_cli.near import near as find_near
from parkmesh_cli.reconcile.reconcile import Options as ReconcileOptions
from parkmesh_cli.reconcile.reconcile import reconcile as reconcile_books
from parkmesh_cli.replay.replay import Options
from parkmesh_cli.replay.replay import replay as play_replay
from parkmesh_cli.report.app import app as report
from parkmesh_cli.screen import show
from parkmesh_cli.target import Target, anybody, default_demo, described, read_demo

app = typer.Typer(
    help="Talks to a parking data platform as its vendors, analysts and administrators do. 停车数据平台命令行工具",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Demo = Annotated[
    Path | None,
    typer.Option(
        "--demo", help="What `make up` wrote: addresses and accounts. [default: var/demo.json]", show_default=False
    ),
]


class Side(StrEnum):
    """Whose record holds, as one types it."""

    PLATFORM = "platform"
    LOT = "lot"


Rest = Annotated[bool, typer.Option("--rest/--grpc", help="Call the platform by REST or by gRPC. 传输方式")]


@app.command()
def replay(
    lots: Annotated[Path, typer.Option(help="The lots: CSV with lot, name, capacity, …  停车场文件")],
    free_spaces: Annotated[Path, typer.Option(help="The readings: CSV with time, lot, free.  空余泊位文件")],
    rest: Rest = False,
    batch_size: Annotated[int, typer.Option(min=1, max=1000, help="Records in one call. 每批记录数")] = 500,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls on their way at once. 并发数")] = 4,
    real_time: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="Send as it happened, this many times faster; unset: as fast as possible. 回放倍速"
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many movements, the day's first; unset: all. 回放条数上限")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    demo: Demo = None,
    url: Annotated[str, typer.Option(help="Another platform's address, https://host:port.")] = "",
    ca: Annotated[Path | None, typer.Option(help="The CA to trust, PEM; unset: the public ones.")] = None,
    client_id: Annotated[str, typer.Option(help="The vendor's client id.")] = "",
    client_secret: Annotated[str, typer.Option(envvar="PARKMESH_CLIENT_SECRET", help="Its secret.")] = "",
    vendor_id: Annotated[str, typer.Option(help="The vendor's id, to be granted the lots.")] = "",
    admin_client_id: Annotated[str, typer.Option(help="An administrator's client id, to register the lots.")] = "",
    admin_client_secret: Annotated[str, typer.Option(envvar="PARKMESH_ADMIN_CLIENT_SECRET", help="Its secret.")] = "",
    security_client_id: Annotated[
        str, typer.Option(help="A security administrator's client id, to grant the lots.")
    ] = "",
    security_client_secret: Annotated[
        str, typer.Option(envvar="PARKMESH_SECURITY_CLIENT_SECRET", help="Its secret.")
    ] = "",
) -> None:
    """Replays a day of free-space counts as the entries and exits behind it. 回放真实一天的进出场

    Registers the lots that are not registered yet, inventing what the file lacks, then uploads one record for every
    space taken or given back. Lots, vehicles, ids and times are the same in every run, so a second run adds nothing:
    all its records are duplicates. Exit code 0 only when every record is stored.
    """

    async def work() -> int:
        if url:
            target = described(
                url=url,
                ca=ca,
                vendor=(client_id, client_secret),
                vendor_id=vendor_id,
                administrator=(admin_client_id, admin_client_secret),
                security_administrator=(security_client_id, security_client_secret),
            )
        elif ca or client_id or admin_client_id or security_client_id or vendor_id:
            raise CliError(
                "--ca, --client-id, --vendor-id, --admin-client-id and --security-client-id describe a platform: "
                "add its --url"
            )
        else:
            target = _target(demo)
        options = Options(
            lots=lots,
            free_spaces=free_spaces,
            protocol=_protocol(rest),
            batch_size=batch_size,
            concurrency=concurrency,
            factor=math.inf if real_time is None else real_time,
            limit=limit,
            as_json=as_json,
        )
        return await play_replay(target, options)

    run(work())


@app.command()
def reconcile(
    lots: Annotated[Path, typer.Option(help="The lots: the file that was replayed.  停车场文件")],
    free_spaces: Annotated[Path, typer.Option(help="The readings: the file that was replayed.  空余泊位文件")],
    lot: Annotated[list[str] | None, typer.Option(help="Only this lot, by its id in the file. 仅该停车场")] = None,
    rest: Rest = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many movements are in the books; unset: all. 账目条数上限")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair what differs; otherwise only tell. 修复差异")
    ] = False,
    winner: Annotated[
        Side | None, typer.Option(help="Whose record holds where both differ; unset: they are left. 以谁为准")
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the days that agree. 日终结账")] = False,
    author: Annotated[str, typer.Option(help="Who decides, in revisions and reports. 责任人")] = "parkmesh reconcile",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    demo: Demo = None,
    url: Annotated[str, typer.Option(help="Another platform's address, https://host:port.")] = "",
    ca: Annotated[Path | None, typer.Option(help="The CA to trust, PEM; unset: the public ones.")] = None,
    client_id: Annotated[str, typer.Option(help="The vendor's client id.")] = "",
    client_secret: Annotated[str, typer.Option(envvar="PARKMESH_CLIENT_SECRET", help="Its secret.")] = "",
) -> None:
    """Compares a replayed day with the platform, lot by lot and day by day. 与平台对账

    The vendor's books are made from the very files that `replay` uploads. Tells exactly which records are missing,
    extra or different; with --repair makes the books agree. Exit code 0 only when all of them agree.
    """

    async def work() -> int:
        if winner and not repair:
            raise MisuseError("--winner says how to repair: add --repair")
        if url:
            nobody = ("", "")
            target = described(
                url=url,
                ca=ca,
                vendor=(client_id, client_secret),
                vendor_id="",
                administrator=nobody,
                security_administrator=nobody,
            )
        elif ca or client_id:
            raise CliError("--ca and --client-id describe a platform: add its --url")
        else:
            target = replace(_target(demo), administrator=None, security_administrator=None)
        policy = Policy(
            repair=repair,
            winner=Winner[winner.name] if winner else Winner.NOBODY,
            author=author,
            close=close,
        )
        options = ReconcileOptions(
            lots=lots,
            free_spaces=free_spaces,
            only=lot or (),
            limit=limit,
            protocol=_protocol(rest),
            policy=policy,
            as_json=as_json,
        )
        return await reconcile_books(target, options)

    run(work())


@app.command()
def demo(
    hours: Annotated[int, typer.Option(min=1, max=72, help="How much of the past to play. 小时数")] = 24,
    rest: Rest = False,
    demo: Demo = None,
) -> None:
    """Plays a small simulated city and shows what an analyst then sees. 模拟城市演示

    The city lives by the clock: a second run uploads what happened since, and reports the rest as duplicates.
    """

    async def work() -> int:
        return await play_demo(_target(demo), hours=hours, protocol=_protocol(rest), now_ms=time.time_ns() // 1_000_000)

    run(work())


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help='The query, such as "SELECT count() FROM records".')],
    demo: Demo = None,
) -> None:
    """Asks the history as the analyst and prints the answer as a table. 以分析员身份查询"""

    async def work() -> int:
        async with analyst.desk(_target(demo).analyst) as desk:
            show((await desk.ask(sql)).as_table())
        return 0

    run(work())


@app.command(context_settings={"ignore_unknown_options": True})
def near(
    latitude: Annotated[float, typer.Argument(min=-90, max=90, help="Latitude in degrees. 纬度")],
    longitude: Annotated[float, typer.Argument(min=-180, max=180, help="Longitude in degrees. 经度")],
    system: Annotated[
        System, typer.Option(help="The system of the two numbers: they differ by up to 1.2 km. 坐标系")
    ] = System.GCJ02,
    radius: Annotated[int, typer.Option(min=1, max=20_000, help="How far to look, in metres. 半径（米）")] = 1_000,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many lots. 条数上限")] = 20,
    demo: Demo = None,
    url: Annotated[str, typer.Option(help="Another platform's address, https://host:port.")] = "",
    ca: Annotated[Path | None, typer.Option(help="The CA to trust, PEM; unset: the public ones.")] = None,
) -> None:
    """Shows the lots around a point and what is free there, as anybody may ask. 查询周边停车场"""

    async def work() -> int:
        if ca and not url:
            raise CliError("--ca describes a platform: add its --url")
        platform = anybody(url, ca) if url else _target(demo).vendor
        show(await find_near(platform, Point(latitude, longitude, system), radius, limit))
        return 0

    run(work())


app.command()(collect)
app.command()(sessions.login)
app.command()(sessions.logout)
app.command()(sessions.activate)
app.add_typer(admin, name="admin")
app.add_typer(history, name="history")
app.add_typer(report, name="report")
for installed in metadata.entry_points(group="parkmesh.commands"):
    # What runs on the platform's own machine comes with what runs the platform there.
    app.add_typer(installed.load(), name=installed.name)


def _target(demo: Path | None) -> Target:
    return read_demo(demo or default_demo())


def _protocol(rest: bool) -> Protocol:
    return Protocol.REST if rest else Protocol.GRPC
