"""The two engines of one runtime folder: those that run there, or ones started for as long as a backup needs them."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from eventlog import LogError
from eventlog.server import ServerSettings, free_port
from history.client import Account, HistoryClient
from history.errors import HistoryError
from rich.console import Console

from local_platform import credentials, platform
from local_platform.backup.manifest import BackupError
from local_platform.claim import NotFree, claimed
from local_platform.credentials import write_private
from local_platform.keeper import StartFailed
from local_platform.orphan import Roll
from local_platform.progress import ConsoleReporter
from local_platform.settings import Settings
from local_platform.supervisor import Supervisor
from local_platform.up import prepare

_DEADLINE_S: Final = 600.0


@dataclass(frozen=True)
class Engines:
    """Two engines that answer."""

    settings: Settings
    log: ServerSettings
    owner: HistoryClient
    """As the account that makes the schema."""


def require_embedded(settings: Settings) -> None:
    """Returns when the platform's engines are its own. BackupError."""
    if settings.redis_url or settings.clickhouse_url:
        raise BackupError(
            "REDIS_URL or CLICKHOUSE_URL names a server of your own: back it up by its own means, the history first, "
            "then the log 自备服务器请用其自带工具备份：先历史库，后日志"
        )
    if settings.database_url:
        raise BackupError(
            "DATABASE_URL names a database of your own: copy it with pg_dump behind this backup, and run this with "
            "DATABASE_URL unset 自备数据库请在本备份之后用 pg_dump 备份"
        )


@asynccontextmanager
async def engines(settings: Settings, *, backups: Path | None = None) -> AsyncIterator[Engines]:
    """The engines of the folder. When no platform runs there, they are started and stopped again.

    `backups`: the folder that ClickHouse may restore from; only of engines that are started here. BackupError.
    """
    require_embedded(settings)
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(claimed(settings.var, "parkmesh backup"))
        except NotFree:
            settings = replace(settings, ports=_running_ports(settings))
        else:
            settings = await stack.enter_async_context(_started(settings, backups))
        made = credentials.ensure(settings.var, platform.CALLERS)
        account = Account(
            platform.clickhouse_url(settings),
            platform.OWNER,
            made.owner_password,
            database="default",
            deadline=_DEADLINE_S,
        )
        owner = await stack.enter_async_context(HistoryClient(account))
        try:
            yield Engines(settings, platform.log_server(settings, made), owner)
        except (HistoryError, LogError) as error:
            raise BackupError(f"an engine of {settings.var} does not do what it is asked: {error}") from None


def _running_ports(settings: Settings) -> Any:
    """The ports on which the engines of the folder were started, whatever the environment says."""
    try:
        clickhouse = json.loads(platform.clickhouse_config_file(settings).read_text(encoding="utf-8"))["port"]
        text = (settings.var / "data" / "log" / "valkey.conf").read_text(encoding="utf-8")
        log = int(re.findall(r"^port (\d+)$", text, re.MULTILINE)[0])
    except (OSError, ValueError, LookupError):
        raise BackupError(f"no platform with engines of its own runs in {settings.var} 未找到运行中的平台") from None
    return replace(settings.ports, clickhouse=clickhouse, log=log)


@asynccontextmanager
async def _started(settings: Settings, backups: Path | None) -> AsyncIterator[Settings]:
    ports = replace(settings.ports, clickhouse=free_port(), log=free_port())
    settings = replace(settings, host=platform.LOOPBACK, ports=ports)
    made = credentials.ensure(settings.var, platform.CALLERS)
    prepare(settings, made)
    if backups is not None:
        config = platform.clickhouse_config(settings, made) | {"backups": str(backups)}
        write_private(platform.clickhouse_config_file(settings), json.dumps(config, indent=2))
    processes = (platform.log(settings, made), platform.clickhouse(settings))
    roll = Roll(settings.var / "run.json")
    roll.sweep()
    reporter = ConsoleReporter(Console(stderr=True, quiet=True), tuple(process.name for process in processes))
    supervisor = Supervisor(processes, folder=settings.var, roll=roll, reporter=reporter)
    try:
        await supervisor.start()
        yield settings
    except StartFailed as error:
        raise BackupError(str(error)) from None
    finally:
        await supervisor.stop()
