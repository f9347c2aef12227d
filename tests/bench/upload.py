"""One upload run: a load process sends, the history is watched until it holds everything, the books are checked."""

import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from . import ledger
from .load import Answered, Job
from .stage import Stage

_POLL_S: Final = 0.02
_PATIENCE_S: Final = 120.0
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Latency:
    """Milliseconds from when a request was due to when its records were answered, and visible in ClickHouse."""

    acknowledged: tuple[float, ...]
    visible: tuple[float, ...]
    poll_ms: float
    """How far apart two looks were, in the median: what `visible` can be too large by."""


@dataclass(frozen=True)
class Run:
    """What one run found; its books balance."""

    records: int
    acknowledged_s: float
    """Until the last answer."""
    stored_s: float
    """Until the history showed every record."""
    cpu_s: Mapping[str, float]
    """Processor seconds of each process, the load among them."""
    latency: Latency | None = None

    @property
    def acknowledged_rate(self) -> float:
        """Records per second."""
        return self.records / self.acknowledged_s

    @property
    def stored_rate(self) -> float:
        """Records per second."""
        return self.records / self.stored_s


@dataclass
class _Seen:
    """When requests were first seen whole in the history."""

    at_s: dict[int, float] = field(default_factory=dict)
    looks_s: list[float] = field(default_factory=list)


async def run(stage: Stage, job: Job) -> Run:
    """Does the job and waits for the history. Void when the books do not balance; RuntimeError when the load fails."""
    records = job.count * job.size
    before = (await stage.log.end(0)).offset
    load = await _started(job)
    watching: asyncio.Task[None] | None = None
    try:
        metadata = stage.asserted() if not job.ca else await stage.token()
        await stage.quiet()
        cpu = stage.cpu_s()
        assert load.stdin is not None
        load.stdin.write(json.dumps(metadata).encode() + b"\n")
        await load.stdin.drain()
        seen = _Seen()
        if job.per_second:
            watching = asyncio.create_task(_watch(stage, job, seen))
        answered = Answered(**await _line(load))
        stored_at = await stored(stage, before + records)
        used = {name: after - cpu[name] for name, after in stage.cpu_s().items()} | {"load": answered.cpu_s}
        if watching is not None:
            await asyncio.wait_for(watching, _PATIENCE_S)
    finally:
        if watching is not None:
            watching.cancel()
        if load.returncode is None:
            load.kill()
        await load.wait()
    await ledger.check(stage.reader, ledger.Entry(job.prefix, records, answered.accepted, answered.other))
    return Run(
        records,
        answered.end_s - answered.begin_s,
        stored_at - answered.begin_s,
        used,
        _latency(answered, seen) if job.per_second else None,
    )


async def _started(job: Job) -> Process:
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.load", stdin=PIPE, stdout=PIPE, cwd=_ROOT, limit=1 << 26
    )
    assert load.stdin is not None
    load.stdin.write(job.written().encode() + b"\n")
    await load.stdin.drain()
    await _line(load)
    return load


async def _line(load: Process) -> dict[str, Any]:
    assert load.stdout is not None
    line = await asyncio.wait_for(load.stdout.readline(), _PATIENCE_S)
    if not line:
        raise RuntimeError("the load process ended without an answer")
    read: dict[str, Any] = json.loads(line)
    return read


async def stored(stage: Stage, last: int) -> float:
    """The instant at which the history was first seen to hold the log up to an offset."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        ((drained,),) = await stage.reader.rows("SELECT max(offset) FROM store.positions")
        if drained >= last:
            return time.monotonic()
        await asyncio.sleep(_POLL_S)
    raise TimeoutError("the history does not follow the log")


async def _watch(stage: Stage, job: Job, seen: _Seen) -> None:
    """Looks for records that are new in the history, by their lots, which keeps a look cheap."""
    lots = sorted({place.lot_id for place in job.places})
    count: dict[int, int] = {}
    last = (await stage.log.end(0)).offset
    while len(seen.at_s) < job.count:
        due = time.monotonic() + _POLL_S
        rows = await stage.reader.rows(
            "SELECT record_id, log_offset FROM store.records_current"
            " WHERE lot_id IN {lots:Array(String)} AND event_time >= fromUnixTimestamp64Milli({first:Int64})"
            " AND log_offset > {last:UInt64} AND startsWith(record_id, {prefix:String})",
            {"lots": lots, "first": job.first_ms, "last": last, "prefix": f"{job.prefix}-"},
        )
        now = time.monotonic()
        seen.looks_s.append(now)
        for record_id, offset in rows:
            number = int(record_id.removeprefix(f"{job.prefix}-").partition("-")[0])
            count[number] = count.get(number, 0) + 1
            if count[number] == job.size:
                seen.at_s[number] = now
            last = max(last, offset)
        await asyncio.sleep(due - time.monotonic())


def _latency(answered: Answered, seen: _Seen) -> Latency:
    due = answered.sent_s
    gaps = [after - before for before, after in zip(seen.looks_s, seen.looks_s[1:], strict=False)]
    return Latency(
        tuple((at - sent) * 1000 for sent, at in zip(due, answered.acknowledged_s, strict=True)),
        tuple((seen.at_s[number] - sent) * 1000 for number, sent in enumerate(due)),
        statistics.median(gaps) * 1000,
    )
