"""What rights checks cost a batch upload: the directory's answer against a constant, batch by batch in random order."""

import asyncio
import contextlib
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

from access_records.archive import Archive
from access_records.records.rules import LotFacts
from access_records.records.upload import Uploads
from access_records.testing import rules
from directory import Directory
from directory.testing import StatedRegistry, credential, device, gate, grant, lot
from eventlog import EventLog
from eventlog.server import EmbeddedServer, ServerSettings, free_port
from mesh.caller import Caller, CallerKind
from mesh.clock import SystemClock
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import running
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import gate_pb2
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server

from .ledger import Void
from .records import Batch, Place, camera, record
from .repeat import Repeat

_SIZE: Final = 1_000
_VENDOR: Final = Caller(CallerKind.VENDOR, "vendor-1", "client-1")
_SERVICE: Final = Caller(CallerKind.SERVICE, "access-records")
_HORIZON_MS: Final = 71 * 3_600_000
_HOUR_MS: Final = 3_600_000


class _Anybody:
    """Answers as the directory does, but for the rights: everybody may report for every lot."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def lot(self, lot_id: str) -> LotFacts | None:
        return self._directory.lot(lot_id)

    def may_report(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True

    def may_see(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return True


class _Took(NamedTuple):
    """What one batch took: until its answer, and of this process's time, which others on the machine disturb less."""

    wall_s: float
    processor_s: float


async def rights(repeat: Repeat) -> None:
    """Batches of 1,000 records of one lot, then of many: the whole use case, over a log server of its own."""
    places = [
        Place(f"lot_{number:012d}", "1", "1", record_pb2.DIRECTION_ENTRY) for number in range(repeat.extent.rights_lots)
    ]
    archive = Archive(repeat.stage.reader)  # it is never asked: all records are fresh
    async with _log() as log, _directory(places) as directory:
        ways = {
            way: Uploads(log, archive, lots, rules(), _HORIZON_MS)
            for way, lots in (("with", directory), ("without", _Anybody(directory)))
        }
        for name, over in (("one", places[:1]), ("many", places)):
            prefix = f"rights-{name}"
            took: dict[str, list[_Took]] = {way: [] for way in ways}
            numbers = itertools.count()
            chance = random.Random(prefix)
            for _ in range(repeat.extent.rights_batches):
                # In any fixed order one way may fall in with a rhythm of the machine's, or of Python's collector.
                for way in chance.sample(list(ways), len(ways)):
                    took[way].append(await _upload(ways[way], over, prefix, next(numbers)))
            for way, times in took.items():
                wall_s = statistics.median(one.wall_s for one in times)
                repeat.figures.add(f"rights.{name}.{way}", "records/s", _SIZE / wall_s)
            processor_s = {way: statistics.median(one.processor_s for one in times) for way, times in took.items()}
            ratio = processor_s["without"] / processor_s["with"]
            repeat.figures.add(f"rights.{name}.ratio", "with/without", ratio)


async def _upload(uploads: Uploads, places: list[Place], prefix: str, number: int) -> _Took:
    """How long one batch took. Void unless every record of it was accepted, without a warning."""
    now_ms = time.time_ns() // 1_000_000
    batch = Batch(prefix, number, _SIZE, tuple(now_ms - _HOUR_MS + index for index in range(_SIZE)))
    records = [record(places, batch, index) for index in range(_SIZE)]
    begun, used = time.perf_counter(), time.process_time()
    verdicts = await uploads.upload(_VENDOR, records, now_ms)
    took = _Took(time.perf_counter() - begun, time.process_time() - used)
    accepted = sum(verdict.outcome == messages.OUTCOME_ACCEPTED and not verdict.warnings for verdict in verdicts)
    if accepted != _SIZE:
        raise Void(f"{prefix}: of {_SIZE} records {accepted} were accepted")
    return took


@contextlib.asynccontextmanager
async def _log() -> AsyncIterator[EventLog]:
    with tempfile.TemporaryDirectory(prefix="bench-rights-") as folder:
        server = EmbeddedServer(ServerSettings(Path(folder), free_port())).start()
        try:
            async with await EventLog.open(server.url, clock=lambda: time.time_ns() // 1_000_000) as log:
                yield log
        finally:
            server.stop()


@contextlib.asynccontextmanager
async def _directory(places: list[Place]) -> AsyncIterator[Directory]:
    """A directory that knows these places, all granted to one vendor."""
    registry = StatedRegistry(
        credential(_VENDOR.credential, _VENDOR.subject),
        *(
            fact
            for place in places
            for fact in (
                lot(place.lot_id),
                gate(place.lot_id, place.gate_id, **{place.lane_id: gate_pb2.LANE_DIRECTION_ENTRY}),
                device(place.lot_id, camera(place)),
                grant(_VENDOR.subject, place.lot_id),
            )
        ),
    )

    async def bind(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(add_DirectoryServiceServicer_to_server, registry)

    async with running(bind, BaseSettings()) as served:
        directory = Directory(served.channel(_SERVICE), SystemClock())
        watching = asyncio.create_task(directory.run())
        try:
            await directory.wait_synced()
            yield directory
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
