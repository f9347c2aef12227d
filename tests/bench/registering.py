"""Registering a city through the edge, on a platform of its own: lot by lot and gate by gate, and by census."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local_platform import credentials
from local_platform.platform import CALLERS
from local_platform.testing import RunningPlatform
from parkmesh.registry.v1 import gate_pb2, lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import survey_service_pb2 as surveys
from parkmesh_sdk import Client, Method

from .city import City
from .crowd import at_once
from .ledger import Void
from .repeat import Repeat
from .stage import client_of
from .watcher import Watch, watched

_AT_ONCE: Final = 8
_SERVICE: Final = "access-records"
_CREATE_LOT: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateLot", registry.CreateLotRequest, lot_pb2.Lot
)
_CREATE_GATE: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateGate", registry.CreateGateRequest, gate_pb2.Gate
)
_IMPORT: Final = Method.of(
    surveys.DESCRIPTOR, "SurveyService", "ImportSurvey", surveys.ImportSurveyRequest, surveys.Survey
)


async def registering(repeat: Repeat) -> None:
    """A vendor files lots and gates with a call for each, 8 at a time, then another city's by two censuses."""
    called = City("CALL", repeat.extent.called_lots)
    surveyed = City("SURVEY", repeat.extent.surveyed_lots)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=repeat.stage.platform.folder.parents[1]) as folder:
        platform = RunningPlatform(Path(folder) / "var")
        try:
            await asyncio.to_thread(platform.start)
            async with client_of(platform, "vendor") as vendor:
                took_s, calls_s = await _by_calls(vendor, called)
                repeat.figures.add("registering.calls", "lots/s", called.lots / took_s)
                quantiles = statistics.quantiles(calls_s, n=100)
                repeat.figures.add("registering.calls.p50", "ms", quantiles[49] * 1000)
                repeat.figures.add("registering.calls.p99", "ms", quantiles[98] * 1000)
                lots, gates = surveyed.census_of_lots(), surveyed.census_of_gates()
                for name, subject, content in (
                    ("lots", surveys.SURVEY_SUBJECT_LOTS, lots),
                    ("gates", surveys.SURVEY_SUBJECT_GATES, gates),
                ):
                    repeat.figures.add(f"registering.survey.{name}", "s", await _by_survey(vendor, subject, content))
                await _check(platform, vendor, {**called.held(), **surveyed.held()})
        finally:
            await asyncio.to_thread(platform.stop)


async def _by_calls(vendor: Client, city: City) -> tuple[float, list[float]]:
    """How long all calls took, and each of them."""
    each_s: list[float] = []

    async def one(number: int) -> None:
        begun = time.monotonic()
        lot = await vendor.call(_CREATE_LOT, registry.CreateLotRequest(lot=city.lot(number)))
        each_s.append(time.monotonic() - begun)
        for gate in city.gates():
            begun = time.monotonic()
            await vendor.call(_CREATE_GATE, registry.CreateGateRequest(lot_id=lot.lot_id, gate=gate))
            each_s.append(time.monotonic() - begun)

    begun = time.monotonic()
    await at_once(_AT_ONCE, range(city.lots), one)
    return time.monotonic() - begun, each_s


async def _by_survey(vendor: Client, subject: surveys.SurveySubject.ValueType, content: bytes) -> float:
    """How long the import took. Void unless every row of it was new."""
    census = surveys.ImportSurveyRequest(
        survey_id=f"bench-{subject}",
        subject=subject,
        format=surveys.SURVEY_FORMAT_CSV,
        content=content,
        source="bench",
    )
    begun = time.monotonic()
    report = await vendor.call(_IMPORT, census)
    took_s = time.monotonic() - begun
    rows = content.count(b"\n") - 1
    if not rows == report.rows == report.new_rows:
        raise Void(f"a census of {rows} rows was taken as {report.rows}, of which {report.new_rows} were new")
    return took_s


async def _check(
    platform: RunningPlatform, vendor: Client, expected: Mapping[str, tuple[tuple[str, ...], int]]
) -> None:
    """Returns when the register lists these lots and no others, and a directory knows them with their gates."""
    listed = [lot async for lot in vendor.list_lots()]
    numbers = [lot.registration_number for lot in listed]
    if len(numbers) != len(expected) or set(numbers) != expected.keys():
        raise Void(f"of {len(expected)} lots the register lists {len(expected.keys() & set(numbers))}")
    if any(lot.state != lot_pb2.LOT_STATE_PENDING for lot in listed):
        raise Void("a lot that a vendor filed is not pending")
    key = credentials.ensure(platform.folder, CALLERS).key(_SERVICE).read_text()
    found = await watched(Watch(platform.demo["endpoints"]["registry"], _SERVICE, key))
    if found.lots != expected:
        raise Void("the directory is told of something else than was registered")
