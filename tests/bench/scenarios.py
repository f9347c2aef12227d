"""What is measured: each scenario enters its samples of one repeat; those of uploads against the bare insert of it."""

import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from . import bare, footprint, upload
from .authorization import authorization
from .cold_start import cold_start
from .growth import growth
from .reconciliation import reconciliation
from .registering import registering
from .repeat import Repeat
from .revocation import revocation
from .rights import rights
from .views import views
from .visits import visits

_LATENCY_LANES: Final = 80
_SMALL: Final = 10
_LOADS: Final = (500, 5_000)


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
    "registering": registering,
    "cold-start": cold_start,
    "revocation": revocation,
    "rights": rights,
    "authorization": authorization,
    "reconciliation": reconciliation,
    "visits": visits,
}

LONG: Final[Mapping[str, Callable[[Repeat], Awaitable[None]]]] = {"views": views, "growth": growth}
"""What fills histories of years: minutes each, and only on request."""
