"""`make up` from beginning to end: claim, prepare, start, onboard, watch, stop."""

import asyncio
import contextlib
import json
import shutil
import signal
import time
from collections.abc import Coroutine, Mapping
from typing import Any

import grpc
from rich.console import Console

from local_platform import credentials, platform
from local_platform.claim import NotFree, check_ports, claimed
from local_platform.credentials import Credentials, write_private
from local_platform.keeper import StartFailed
from local_platform.onboard import DemoVendor, Onboarding
from local_platform.orphan import Roll
from local_platform.process import Process
from local_platform.progress import ConsoleReporter
from local_platform.settings import Settings, SettingsError
from local_platform.supervisor import Supervisor

DEMO = "demo.json"


def main(environ: Mapping[str, str]) -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit code: 0 after such a stop, 1 when it cannot start."""
    console = Console()
    try:
        settings = Settings.from_env(environ)
        note = f"{platform.edge_url(settings)}, ClickHouse {platform.clickhouse_url(settings)}"
        with claimed(settings.var, note):
            roll = Roll(settings.var / "run.json")
            roll.sweep()
            made = credentials.ensure(settings.var, platform.CALLERS)
            processes = platform.processes(settings, made)
            check_ports(processes, settings.host)
            prepare(settings, made)
            return asyncio.run(run(settings, made, processes, roll, console))
    except (SettingsError, NotFree, StartFailed) as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1


def prepare(settings: Settings, made: Credentials) -> None:
    """Writes what the processes read when they start."""
    data = settings.var / "data"
    # First, and also where it is there already: whoever makes it in passing makes it readable by everybody.
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    if not settings.redis_url:
        platform.log_server(settings, made).command()
    if not settings.clickhouse_url:
        config = json.dumps(platform.clickhouse_config(settings, made), indent=2)
        write_private(platform.clickhouse_config_file(settings), config)


async def run(
    settings: Settings, made: Credentials, processes: tuple[Process, ...], roll: Roll, console: Console
) -> int:
    """Starts everything, says when it is ready, and stops everything when a signal comes. StartFailed."""
    begun = time.monotonic()
    reporter = ConsoleReporter(console, tuple(process.name for process in processes))
    supervisor = Supervisor(processes, folder=settings.var, roll=roll, reporter=reporter)
    stop = asyncio.Event()

    def interrupt() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        with reporter:
            if not await _unless(stop, _start(settings, made, supervisor, roll, reporter)):
                return 0
        reporter.say(
            f"Parkmesh is ready after {time.monotonic() - begun:.1f} s: edge {platform.edge_url(settings)} (REST and "
            f"gRPC), ClickHouse {platform.clickhouse_url(settings)}, credentials in {settings.var / DEMO}. "
            "Ctrl-C stops it."
        )
        await _unless(stop, supervisor.watch())
        return 0
    finally:
        reporter.say("Stopping.")
        await supervisor.stop()
        reporter.say("Stopped.")


async def _start(
    settings: Settings, made: Credentials, supervisor: Supervisor, roll: Roll, reporter: ConsoleReporter
) -> None:
    await supervisor.start()
    shutil.copyfile(platform.certificates(settings) / "ca.pem", settings.var / "ca.pem")
    reporter.step("making the demo vendor")
    authority = grpc.ssl_channel_credentials((settings.var / "ca.pem").read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{settings.ports.edge}", authority) as channel:
        onboarding = Onboarding(
            channel,
            administrator=(made.admin_client_id, made.admin_client_secret),
            security_administrator=(made.security_admin_client_id, made.security_admin_client_secret),
        )
        try:
            vendor = await onboarding.ensure(DemoVendor.read(settings.var / DEMO))
        except grpc.aio.AioRpcError as error:
            raise StartFailed(f"The edge refuses the administrators: {error.code().name} {error.details()}") from None
    write_private(settings.var / DEMO, json.dumps(demo(settings, made, vendor, roll), indent=2, ensure_ascii=False))


def demo(settings: Settings, made: Credentials, vendor: DemoVendor, roll: Roll) -> dict[str, object]:
    """What demo.json holds: all that a vendor, the administrators, an analyst and a test need to begin."""
    ports = settings.ports
    return {
        "edge": {
            "url": platform.edge_url(settings),
            "grpc": f"localhost:{ports.edge}",
            "ca": str(settings.var / "ca.pem"),
        },
        "vendor": {"vendorId": vendor.vendor_id, **_account(vendor.client_id, vendor.client_secret)},
        "administrator": _account(made.admin_client_id, made.admin_client_secret),
        "securityAdministrator": _account(made.security_admin_client_id, made.security_admin_client_secret),
        "auditAdministrator": _account(made.audit_admin_client_id, made.audit_admin_client_secret),
        "clickhouse": {
            "url": platform.clickhouse_url(settings),
            "user": platform.ANALYST,
            "password": made.analyst_password,
            "database": platform.PUBLISHED,
        },
        "processes": roll.pids(),
        "endpoints": {
            "registry": f"{platform.LOOPBACK}:{ports.registry}",
            "access-records": f"{platform.LOOPBACK}:{ports.access_records}",
            "guidance": f"{platform.LOOPBACK}:{ports.guidance}",
            "risk-control": f"{platform.LOOPBACK}:{ports.risk_control}",
        },
    }


def _account(client_id: str, client_secret: str) -> dict[str, str]:
    return {"clientId": client_id, "clientSecret": client_secret}


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work unless the event comes first; returns whether the work was done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        for task in (working, stopping):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(working, stopping, return_exceptions=True)
