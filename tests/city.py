"""A city on a running platform, for tests: its accounts, its lots, records as their gates send them, its books."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from eventlog import EventLog
from history.client import Account, HistoryClient
from history.errors import HistoryUnavailable
from local_platform import credentials
from local_platform.platform import CALLERS, OWNER, READER, log_server
from local_platform.settings import Settings
from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import coordinate_pb2, lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh_cli.plates import vehicle
from parkmesh_cli.premises import Site, two_gates
from parkmesh_cli.registration import Plan, register
from parkmesh_cli.target import Authority
from parkmesh_sdk import Client, Connection, Method

HOUR_MS: Final = 3_600_000
_PATIENCE_S: Final = 120.0
_CREATE_LOT: Final = Method.of(
    registry.DESCRIPTOR, "RegistryService", "CreateLot", registry.CreateLotRequest, lot_pb2.Lot
)


def now_ms() -> int:
    """The time, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def connection(platform: RunningPlatform, who: str = "vendor", *, deadline_s: float = 10.0) -> Connection:
    """How demo.json's `vendor`, `administrator` or `securityAdministrator` reaches the edge."""
    edge, account = platform.demo["edge"], platform.demo[who]
    return Connection(edge["url"], account["clientId"], account["clientSecret"], Path(edge["ca"]), deadline_s)


async def lots(platform: RunningPlatform, name: str, count: int, *, open_berths: int = 400) -> list[Site]:
    """That many lots of the demo vendor with a gate in and a gate out; those of this name that are there are taken."""
    plans = [Plan(_lot(f"{name}-{number}", open_berths), two_gates("文献路", 1)) for number in range(count)]
    async with (
        Client(connection(platform, "administrator")) as administrator,
        Client(connection(platform, "securityAdministrator")) as security_administrator,
        Client(connection(platform)) as vendor,
    ):
        vendor_id = platform.demo["vendor"]["vendorId"]
        authority = Authority(administrator, security_administrator)
        registered = await register(authority, vendor, vendor_id, plans, lambda: None)
    return [registered.sites[plan.lot.registration_number] for plan in plans]


async def foreign_lot(platform: RunningPlatform, name: str) -> str:
    """The id of a new lot that the demo vendor holds no grant for."""
    async with Client(connection(platform, "administrator")) as administrator:
        return (await administrator.call(_CREATE_LOT, registry.CreateLotRequest(lot=_lot(name, 1)))).lot_id


def record(site: Site, record_id: str, time_ms: int, number: int = 0) -> record_pb2.AccessRecord:
    """The shortest useful record: vehicle `number` comes in."""
    car, way = vehicle(number), site.entries[0]
    made = record_pb2.AccessRecord(
        record_id=record_id,
        lot_id=site.lot_id,
        direction=record_pb2.DIRECTION_ENTRY,
        plate_number=car.plate,
        plate_colour=car.colour,
        vehicle_class=car.vehicle_class,
        gate_id=way.gate_id,
        lane_id=way.lane_id,
    )
    made.event_time.FromMilliseconds(time_ms)
    return made


def analyst(platform: RunningPlatform) -> HistoryClient:
    """The history as the analyst may read it."""
    told = platform.demo["clickhouse"]
    return HistoryClient(Account(told["url"], told["user"], told["password"], told["database"]))


def reader(platform: RunningPlatform) -> HistoryClient:
    """The history with its store, as the services read it."""
    return HistoryClient(Account(platform.demo["clickhouse"]["url"], READER, _secrets(platform).reader_password))


def owner(platform: RunningPlatform) -> HistoryClient:
    """The history as its owner."""
    return HistoryClient(Account(platform.demo["clickhouse"]["url"], OWNER, _secrets(platform).owner_password))


def log_url(platform: RunningPlatform) -> str:
    """The log server's address, password and all."""
    return log_server(Settings.from_env(platform.environ), _secrets(platform)).url


async def open_log(platform: RunningPlatform) -> EventLog:
    """The platform's own log."""
    return await EventLog.open(log_url(platform), clock=now_ms)


async def drained(platform: RunningPlatform) -> None:
    """Returns when the history holds all that is in the log now; TimeoutError when it does not follow."""
    async with await open_log(platform) as log, reader(platform) as history:
        end, reached = (await log.end(0)).offset, -1
        async with asyncio.timeout(_PATIENCE_S):
            while reached < end:
                await asyncio.sleep(0.1)
                with contextlib.suppress(HistoryUnavailable):  # it may just be starting
                    reached = (await history.rows("SELECT max(offset) FROM store.positions"))[0][0]


async def count(history: HistoryClient, table: str, site: Sequence[Site]) -> int:
    """The rows that a table or view shows for these lots."""
    rows = await history.rows(
        f"SELECT count() FROM {table} WHERE lot_id IN {{lots:Array(String)}}",
        {"lots": [one.lot_id for one in site]},
    )
    return int(rows[0][0])


def _lot(number: str, open_berths: int) -> lot_pb2.Lot:
    return lot_pb2.Lot(
        registration_number=number,
        name=f"停车场{number}",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        open_berths=open_berths,
        state=lot_pb2.LOT_STATE_ACTIVE,
        coordinate=coordinate_pb2.Coordinate(
            latitude=25.4, longitude=119.0, system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02
        ),
    )


def _secrets(platform: RunningPlatform) -> credentials.Credentials:
    return credentials.ensure(platform.folder, CALLERS)
