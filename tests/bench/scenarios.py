"""What is measured: each scenario enters its samples of one repeat, all against the bare insert of the same repeat."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from . import bare, footprint, upload
from .figures import Figures
from .load import Job
from .stage import Stage

_DAY_MS: Final = 86_400_000
_FRESH_MS: Final = 10 * 3_600_000
_OLD_MS: Final = 3 * 365 * _DAY_MS
_LATENCY_LANES: Final = 80
_SMALL: Final = 10
_LOADS: Final = (500, 5_000)
_RATE: Final = "records/s"


@dataclass(frozen=True)
class Extent:
    """How much each scenario sends."""

    lots: int
    batches: int
    """Of 1,000 records in each durable run."""
    edge_records: int
    unary: int
    stream: int
    seconds: float
    """How long each latency run lasts."""


FULL: Final = Extent(lots=100, batches=60, edge_records=30_000, unary=2_000, stream=10_000, seconds=6.0)
QUICK: Final = Extent(lots=20, batches=10, edge_records=5_000, unary=300, stream=800, seconds=2.0)


@dataclass
class Repeat:
    """One round of all scenarios."""

    stage: Stage
    figures: Figures
    number: int
    extent: Extent
    baseline: bare.Bare | None = None
    """What the engine did by itself in this round, once it was measured."""

    def job(self, name: str, how: str, count: int, size: int, at_once: int, *, old: bool = False) -> Job:
        """A job for the edge, or straight for the service when its name begins with `direct`."""
        now_ms = int(time.time() * 1000)
        direct = name.startswith("direct")
        # Every repeat's old records are of days of their own.
        first_ms = now_ms - (_OLD_MS - self.number * _DAY_MS if old else _FRESH_MS)
        return Job(
            how=how,
            address=self.stage.service if direct else self.stage.edge,
            ca="" if direct else self.stage.ca,
            prefix=f"{name.replace('.', '-')}-{self.number}",
            count=count,
            size=size,
            first_ms=first_ms,
            last_ms=first_ms + (_DAY_MS if old else _FRESH_MS - 1_000),
            at_once=at_once,
            places=self.stage.places,
        )

    async def rate(self, name: str, job: Job) -> None:
        """Runs the job and enters what it found."""
        self.enter(name, await upload.run(self.stage, job))

    def enter(self, name: str, run: upload.Run) -> None:
        """Enters a run's two rates and the processor time of every process."""
        base = self.baseline.one_table if self.baseline else None
        self.figures.add(f"{name}.stored", _RATE, run.stored_rate, run.stored_rate / base if base else None)
        acknowledged = run.acknowledged_rate
        self.figures.add(f"{name}.acknowledged", _RATE, acknowledged, acknowledged / base if base else None)
        for process, used in sorted(run.cpu_s.items()):
            self.figures.add(f"{name}.cpu.{process}", "µs/record", used * 1e6 / run.records)


async def durable(repeat: Repeat) -> None:
    """Batches of 1,000 straight to access-records, the same rows bare, and batches of records three years old."""
    stage, figures, extent = repeat.stage, repeat.figures, repeat.extent
    before, held = await stage.log.end(0), footprint.log_bytes(stage)
    job = repeat.job("direct.fresh", "grpc", extent.batches, 1_000, at_once=8)
    run = await upload.run(stage, job)
    figures.add("bytes.log.file", "B/record", (footprint.log_bytes(stage) - held) / run.records)
    await stage.quiet()
    found = await bare.measure(stage, await bare.entries_of(stage.log, before, run.records))
    repeat.baseline = found
    figures.add("bare.one_table", "rows/s", found.one_table)
    figures.add("bare.both_tables", "rows/s", found.both_tables, found.both_tables / found.one_table)
    repeat.enter("direct.fresh", run)
    await repeat.rate("direct.old", repeat.job("direct.old", "grpc", extent.batches // 2, 1_000, at_once=8, old=True))


async def edge(repeat: Repeat) -> None:
    """Batches of 1,000 and of 100 through the edge, by gRPC and by REST."""
    for how in ("grpc", "rest"):
        for size, at_once in ((1_000, 8), (100, 16)):
            name = f"edge.{how}.{size}"
            await repeat.rate(name, repeat.job(name, how, repeat.extent.edge_records // size, size, at_once))


async def single(repeat: Repeat) -> None:
    """Single records, each in a call of its own, 32 at a time, and each as a message of one of 8 streams."""
    for way in ("direct", "edge"):
        name = f"{way}.unary"
        await repeat.rate(name, repeat.job(name, "grpc", repeat.extent.unary, 1, at_once=32))
        name = f"{way}.stream"
        await repeat.rate(name, repeat.job(name, "stream", repeat.extent.stream, 1, at_once=8))


async def latency(repeat: Repeat) -> None:
    """From when a batch of 10 was due to its answer and to its being seen in ClickHouse, at two loads by the edge."""
    for load in _LOADS:
        name = f"latency.{load}"
        job = repeat.job(name, "grpc", int(repeat.extent.seconds * load / _SMALL), _SMALL, at_once=0)
        # Few lots, since a look at a few is cheap enough to be taken often.
        job = replace(job, per_second=load / _SMALL, places=repeat.stage.places[:_LATENCY_LANES])
        found = (await upload.run(repeat.stage, job)).latency
        assert found is not None
        for what, times in (("acknowledged", found.acknowledged), ("visible", found.visible)):
            quantiles = statistics.quantiles(times, n=100)
            repeat.figures.add(f"{name}.{what}.p50", "ms", quantiles[49])
            repeat.figures.add(f"{name}.{what}.p99", "ms", quantiles[98])
        repeat.figures.add(f"{name}.visible.resolution", "ms", found.poll_ms)


SCENARIOS: Final[Mapping[str, Callable[[Repeat], Awaitable[None]]]] = {
    "durable": durable,
    "edge": edge,
    "single": single,
    "latency": latency,
}
