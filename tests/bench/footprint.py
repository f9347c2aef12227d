"""How large and how quick to start the platform is, and what one record takes in each place that holds it."""

import asyncio
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any, Final

import psutil
import redis.asyncio

from .figures import Figures
from .stage import Stage

_MIB: Final = 1 << 20
_SYNCS: Final = 300
_WRITE_BYTES: Final = 300


def idle(stage: Stage, figures: Figures) -> None:
    """Enters what the platform was before its first use."""
    figures.add("start.first", "s", stage.first_start_s)
    figures.add("start.second", "s", stage.second_start_s)
    for name, held in sorted(stage.idle_bytes.items()):
        figures.add(f"idle.memory.{name}", "MiB", held / _MIB)
    figures.add("idle.memory", "MiB", sum(stage.idle_bytes.values()) / _MIB)


async def machine(stage: Stage, figures: Figures) -> None:
    """Enters what the figures hold for: processors, disk, engines."""
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / (1 << 30)
    figures.facts["machine"] = (
        f"{_processor()}, {cores} processors, {memory:.0f} GiB, {platform.system()} {platform.release()}"
    )
    figures.facts["python"] = platform.python_version()
    figures.facts["clickhouse"] = str((await stage.owner.rows("SELECT version()"))[0][0])
    async with redis.asyncio.Redis.from_url(stage.log_url) as log:
        told: dict[str, Any] = await log.info("server")
    figures.facts["log server"] = str(told.get("valkey_version") or told["redis_version"])
    took = sorted(await asyncio.to_thread(_syncs, stage.log_folder))
    figures.add("disk.fdatasync.p50", "µs", statistics.median(took) * 1e6)
    figures.add("disk.fdatasync.p99", "µs", took[int(len(took) * 0.99)] * 1e6)


async def per_record(stage: Stage, figures: Figures) -> None:
    """Enters what a record takes, from all records of the bench: nothing of them has been trimmed."""
    end = await stage.log.end(0)
    assert await stage.log.oldest(0) == 1, "the log was trimmed while the bench ran"
    async with redis.asyncio.Redis.from_url(stage.log_url) as log:
        stream = index = 0
        async for key in log.scan_iter(count=1000):
            used = await log.memory_usage(key, samples=0) or 0
            if b":idx:" in key:
                index += used
            elif key.endswith(b":log"):
                stream += used
    figures.add("bytes.log.memory", "B/record", stream / end.offset)
    figures.add("bytes.index.memory", "B/record", index / end.offset)
    rows = await stage.owner.rows(
        "SELECT table, sum(bytes_on_disk) / sum(rows), count() FROM system.parts"
        " WHERE active AND database = 'store' AND table IN ('records_current', 'record_revisions')"
        " GROUP BY table ORDER BY table"
    )
    for table, size, _ in rows:
        figures.add(f"bytes.history.{table}", "B/row", size)


def log_bytes(stage: Stage) -> int:
    """What the log's files hold on disk."""
    return sum(path.stat().st_size for path in stage.log_folder.rglob("*.aof") if path.is_file())


async def restart(stage: Stage, figures: Figures) -> None:
    """Enters how long a start takes over all that the bench has written; the stage's connections are gone after it."""
    records = (await stage.log.end(0)).offset
    await asyncio.to_thread(stage.platform.stop)
    begun = time.monotonic()
    await asyncio.to_thread(stage.platform.start)
    figures.add("start.loaded", "s", time.monotonic() - begun)
    figures.facts["start.loaded holds"] = f"{records:,} records in the log"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _syncs(folder: Path) -> list[float]:
    """How long each of some small appended writes takes to reach the disk on which the log lies, in seconds."""
    path = folder / "fdatasync.bench"
    took: list[float] = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(_SYNCS):
            begun = time.monotonic()
            os.write(descriptor, bytes(_WRITE_BYTES))
            os.fdatasync(descriptor) if hasattr(os, "fdatasync") else os.fsync(descriptor)
            took.append(time.monotonic() - begun)
    finally:
        os.close(descriptor)
        path.unlink()
    return took
