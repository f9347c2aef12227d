"""A process that starts cold: it watches a registry until it knows everything, and tells what that took.

It reads one job as a line of JSON and writes one line with what it saw.
"""

import asyncio
import contextlib
import dataclasses
import gc
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path
from typing import Final, Self

import psutil
import uvloop
from directory import Change, Directory
from mesh.caller import Signer
from mesh.channels import open_channel
from mesh.clock import SystemClock
from parkmesh.registry.v1 import change_service_pb2

_ROOT: Final = Path(__file__).parents[2]
_PATIENCE_S: Final = 120.0
_LONGEST_LINE: Final = 1 << 26

Kinds = tuple[change_service_pb2.FactKind.ValueType, ...]


@dataclasses.dataclass(frozen=True)
class Watch:
    """Which registry to watch, and as whom."""

    address: str
    """host:port of the registry."""
    issuer: str
    """The service to be."""
    key: str = dataclasses.field(repr=False)
    """Its private key."""
    kinds: Kinds = ()
    """Which facts; all when empty."""


@dataclasses.dataclass(frozen=True)
class Watched:
    """What a watch found."""

    seconds: float
    """From when it began to connect until it was synced."""
    added_bytes: int
    """Resident memory on top of what the process held before."""
    facts: dict[str, int]
    """How many it was told of, by kind: lots, vendors, credentials, grants …"""
    lots: dict[str, tuple[tuple[str, ...], int]]
    """The numbers of the gates and how many berths, by registration number."""

    @classmethod
    def read(cls, line: bytes) -> Self:
        """What the process wrote."""
        told = json.loads(line)
        lots = {name: (tuple(gates), berths) for name, (gates, berths) in told.pop("lots").items()}
        return cls(**told, lots=lots)


async def watched(watch: Watch) -> Watched:
    """What a process of its own finds. RuntimeError when it fails, TimeoutError when it is not synced in time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.watcher", stdin=PIPE, stdout=PIPE, cwd=_ROOT, limit=_LONGEST_LINE
    )
    try:
        said = json.dumps(dataclasses.asdict(watch)).encode() + b"\n"
        line, _ = await asyncio.wait_for(process.communicate(said), _PATIENCE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not line:
        raise RuntimeError("the watching process ended without an answer")
    return Watched.read(line)


async def _watch(watch: Watch) -> Watched:
    clock = SystemClock()
    facts: Counter[str] = Counter()

    def count(change: Change) -> None:
        facts[type(change.after).__name__] += 1

    channel = open_channel(watch.address, signer=Signer(watch.issuer, watch.key), clock=clock)
    directory = Directory(channel, clock, kinds=watch.kinds)
    directory.subscribe(count)
    gc.collect()
    before = psutil.Process().memory_info().rss
    begun = time.monotonic()
    running = asyncio.create_task(directory.run())
    try:
        await directory.wait_synced()
        took = time.monotonic() - begun
        gc.collect()
        added = psutil.Process().memory_info().rss - before
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await channel.close()
    lots = {lot.registration_number: (tuple(sorted(lot.gates)), len(lot.berths)) for lot in directory.lots()}
    return Watched(took, added, dict(facts), lots)


def main() -> None:
    """Does one job."""
    told = json.loads(sys.stdin.readline())
    found = uvloop.run(_watch(Watch(**told | {"kinds": tuple(told["kinds"])})))
    sys.stdout.write(json.dumps(dataclasses.asdict(found)) + "\n")


if __name__ == "__main__":
    main()
