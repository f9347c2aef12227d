"""The platform under measurement: whole, fresh, in a folder of its own, with lots registered as anybody would."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from eventlog import EventLog
from history.client import Account, HistoryClient
from local_platform import credentials
from local_platform.platform import CALLERS, OWNER, READER, WRITER, log_server
from local_platform.settings import Settings
from local_platform.testing import RunningPlatform
from mesh.caller import EDGE_ISSUER, HEADER, Caller, CallerKind, Signer
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import coordinate_pb2, device_pb2, lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1.token_service_pb2 import IssueTokenRequest, IssueTokenResponse
from parkmesh_cli.premises import two_gates
from parkmesh_cli.registration import Plan, register
from parkmesh_cli.target import Authority
from parkmesh_sdk import Client, Connection, Method
from parkmesh_sdk.method import ISSUE_TOKEN

from .crowd import at_once
from .records import Place, camera

Metadata = list[tuple[str, str]]

LANES: Final = 2
"""Lanes of each of a lot's two gates."""
_CREATE_DEVICE: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateDevice", registry.CreateDeviceRequest, device_pb2.Device
)
_AT_ONCE: Final = 8
_DEADLINE_S: Final = 30.0
_QUIET_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Stage:
    """A running platform and every key to it."""

    platform: RunningPlatform
    first_start_s: float
    """How long the start in an empty folder took."""
    second_start_s: float
    """How long the next one took; 0 when there was none."""
    idle_bytes: Mapping[str, int]
    """What each process held before it was ever used."""
    places: tuple[Place, ...]
    """All lanes of all lots, by lot."""
    owner: HistoryClient
    writer: HistoryClient
    reader: HistoryClient
    log: EventLog
    log_folder: Path
    log_url: str
    signer: Signer

    @property
    def ca(self) -> str:
        """The file with the edge's authority."""
        return str(self.platform.demo["edge"]["ca"])

    @property
    def edge(self) -> str:
        """host:port of the edge."""
        return str(self.platform.demo["edge"]["grpc"])

    @property
    def service(self) -> str:
        """host:port of access-records itself."""
        return self.endpoint("access-records")

    def endpoint(self, service: str) -> str:
        """host:port of a service itself."""
        return str(self.platform.demo["endpoints"][service])

    def asserted(self) -> Metadata:
        """What the edge sends for the vendor to a service."""
        vendor = self.platform.demo["vendor"]
        caller = Caller(CallerKind.VENDOR, vendor["vendorId"], vendor["clientId"])
        return [(HEADER, self.signer.assertion(caller, int(time.time() * 1000)))]

    async def token(self) -> Metadata:
        """What the vendor sends to the edge."""
        vendor = self.platform.demo["vendor"]
        request = IssueTokenRequest(client_id=vendor["clientId"], client_secret=vendor["clientSecret"])
        async with client_of(self.platform, "vendor") as client:
            answer: IssueTokenResponse = await client.call(ISSUE_TOKEN, request)
        return [("authorization", f"Bearer {answer.access_token}")]

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds that each process has used since it began."""
        return {name: _cpu_s(process) for name, process in processes(self.platform).items()}

    async def quiet(self) -> None:
        """Returns when the history has followed the log and merges nothing, or after a while."""
        end = time.monotonic() + _QUIET_SECONDS
        while time.monotonic() < end:
            await asyncio.sleep(0.1)
            ((merges,),) = await self.owner.rows("SELECT count() FROM system.merges")
            if not merges:
                return


def processes(platform: RunningPlatform) -> dict[str, psutil.Process]:
    """The platform's processes by name, its supervisor among them."""
    pids = {name: pid for name, (pid, _) in json.loads((platform.folder / "run.json").read_text()).items()}
    return {name: psutil.Process(pid) for name, pid in {**pids, "supervisor": platform.supervisor}.items()}


def resident_bytes(platform: RunningPlatform) -> dict[str, int]:
    """What each process holds in memory; pages that several share count in each."""
    return {name: process.memory_info().rss for name, process in processes(platform).items()}


@contextlib.asynccontextmanager
async def staged(parent: Path, lots: int, *, twice: bool) -> AsyncIterator[Stage]:
    """A fresh platform with that many lots of two gates, in a folder in `parent`; it ends with the block.

    `twice`: it has been stopped and started again, so that both starts are known.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        platform = RunningPlatform(Path(folder) / "var")
        try:
            first, second = _timed(platform.start), 0.0
            if twice:
                platform.stop()
                second = _timed(platform.start)
            idle = resident_bytes(platform)
            places = await _registered(platform, lots)
            settings = Settings.from_env(platform.environ)
            made = credentials.ensure(settings.var, CALLERS)
            log = log_server(settings, made)
            url = str(platform.demo["clickhouse"]["url"])
            signer = Signer(EDGE_ISSUER, made.key(EDGE_ISSUER).read_text())
            async with (
                HistoryClient(Account(url, OWNER, made.owner_password)) as owner,
                HistoryClient(Account(url, WRITER, made.writer_password)) as writer,
                HistoryClient(Account(url, READER, made.reader_password)) as reader,
                await EventLog.open(log.url, clock=lambda: int(time.time() * 1000)) as opened,
            ):
                yield Stage(
                    platform, first, second, idle, places, owner, writer, reader, opened, log.folder, log.url, signer
                )
        finally:
            platform.stop()


def client_of(platform: RunningPlatform, who: str) -> Client:
    """A client at the edge as one whom demo.json names, such as `administrator`."""
    demo = platform.demo
    return Client(
        Connection(
            demo["edge"]["url"],
            demo[who]["clientId"],
            demo[who]["clientSecret"],
            ca=Path(demo["edge"]["ca"]),
            deadline_s=_DEADLINE_S,
        )
    )


async def _registered(platform: RunningPlatform, lots: int) -> tuple[Place, ...]:
    plans = [
        Plan(
            lot_pb2.Lot(
                registration_number=f"BENCH-{number:04d}",
                name=f"测试停车场{number:04d}",
                type=lot_pb2.LOT_TYPE_PUBLIC,
                division_code="350302",
                open_berths=400,
                state=lot_pb2.LOT_STATE_ACTIVE,
                coordinate=coordinate_pb2.Coordinate(
                    latitude=25.4, longitude=119.0, system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02
                ),
            ),
            two_gates("文献路", LANES),
        )
        for number in range(lots)
    ]
    vendor_id = platform.demo["vendor"]["vendorId"]
    async with (
        client_of(platform, "administrator") as administrator,
        client_of(platform, "securityAdministrator") as security_administrator,
        client_of(platform, "vendor") as vendor,
    ):
        authority = Authority(administrator, security_administrator)
        registered = await register(authority, vendor, vendor_id, plans, lambda: None)
        places: list[Place] = []
        for number in sorted(registered.sites):
            site = registered.sites[number]
            places += [Place(site.lot_id, *way, record_pb2.DIRECTION_ENTRY) for way in site.entries]
            places += [Place(site.lot_id, *way, record_pb2.DIRECTION_EXIT) for way in site.exits]
        await _with_cameras(vendor, places)
    return tuple(places)


async def _with_cameras(vendor: Client, places: Iterable[Place]) -> None:
    """Registers the camera of every lane, without which each record would be taken with a warning."""

    async def register_one(place: Place) -> None:
        device = device_pb2.Device(device_id=camera(place), type=device_pb2.DEVICE_TYPE_CAMERA)
        await vendor.call(_CREATE_DEVICE, registry.CreateDeviceRequest(lot_id=place.lot_id, device=device))

    await at_once(_AT_ONCE, places, register_one)


def _timed(start: Callable[[], None]) -> float:
    begun = time.monotonic()
    start()
    return time.monotonic() - begun


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
