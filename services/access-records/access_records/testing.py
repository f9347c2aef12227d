"""For tests: a record to start from, a lot that knows its gate, and the service composed over real engines."""

import asyncio
import pathlib
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import clickhouse_connect
import redis.asyncio
from directory.testing import StatedRegistry, account, berth, credential, device, gate, grant, lot
from eventlog.server import EmbeddedServer
from eventlog.server import running as running_log
from history.client import Account, HistoryClient
from history.server.testing import RunningServer, running_server
from mesh.caller import Caller, CallerKind, generate_key_pair
from mesh.hosting import Bind
from mesh.server import Mesh
from mesh.settings import BaseSettings, Secret
from mesh.testing import YEAR_2100_MS, ManualClock, Running, running
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.access.v1.access_record_service_pb2_grpc import AccessRecordServiceStub
from parkmesh.access.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub
from parkmesh.registry.v1 import gate_pb2, lot_pb2, role_pb2
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from vocabulary.record import digest_of, facts_of

from access_records import app, history_writer
from access_records.journal import JOURNAL
from access_records.progress import PROJECTION
from access_records.records import logged
from access_records.records.plates import PlateReader
from access_records.records.revisions import digest_of as revised_digest
from access_records.records.revisions import logged_of, revised_of
from access_records.records.rules import Rules
from access_records.settings import Settings, VisitSettings, WriterSettings
from access_records.visits import app as visits
from access_records.visits.follower import PROJECTION as VISITS

NOW_MS: Final = YEAR_2100_MS
LOT: Final = "lot_000000000001"
OTHER_LOT: Final = "lot_000000000002"
FOREIGN_LOT: Final = "lot_000000000003"
"""Registered, but not granted to VENDOR."""
VENDOR: Final = "vendor-1"
CLIENT: Final = "client-1"
OPERATOR: Final = Caller(CallerKind.OPERATOR, "operator-1", "client-operator", "account-operator")
"""Runs LOT."""
DEVICE: Final = Caller(CallerKind.DEVICE, LOT, "client-device")
"""Stands in LOT."""
COLLECTOR: Final = Caller(CallerKind.COLLECTOR, "account-collector", "client-collector", "account-collector")
"""Collects the records of OTHER_LOT."""
PLATE_KEY: Final = b"pseudonyms of the tests, not more"


def _lanes() -> Mapping[tuple[str, str], int]:
    return {
        ("g1", "in"): gate_pb2.LANE_DIRECTION_ENTRY,
        ("g1", "out"): gate_pb2.LANE_DIRECTION_EXIT,
        ("g1", "both"): gate_pb2.LANE_DIRECTION_BOTH,
    }


@dataclass(frozen=True)
class KnownLot:
    """A registered lot with one gate and a lane each way."""

    state: int = lot_pb2.LOT_STATE_ACTIVE
    gates: frozenset[str] = frozenset({"g1"})
    devices: frozenset[str] = frozenset({"d1"})
    berths: frozenset[str] = frozenset({"b1"})
    lanes: Mapping[tuple[str, str], int] = field(default_factory=_lanes)


def entry(
    record_id: str = "e-1", *, ms: int = NOW_MS - 1000, lot_id: str = LOT, **facts: Any
) -> record_pb2.AccessRecord:
    """The shortest useful record, nine fields, with further or other facts."""
    stated: dict[str, Any] = {
        "direction": record_pb2.DIRECTION_ENTRY,
        "plate_number": "闽B12345",
        "plate_colour": record_pb2.PLATE_COLOUR_BLUE,
        "vehicle_class": record_pb2.VEHICLE_CLASS_SMALL,
        "gate_id": "g1",
        "lane_id": "in",
    }
    record = record_pb2.AccessRecord(record_id=record_id, lot_id=lot_id, **(stated | facts))
    record.event_time.FromMilliseconds(ms)
    return record


def first_report(record: record_pb2.AccessRecord) -> record_pb2.LoggedRecord:
    """The record as the log keeps it, without what is derived from its plate."""
    facts = facts_of(record)
    payload = logged.logged(record.SerializeToString(), b"", digest_of(facts), facts.event_time_ms, facts.event_time_ms)
    return logged.read(payload)


def revision(
    record_id: str = "e-1",
    number: int = 1,
    kind: record_pb2.RevisionKind.ValueType = record_pb2.REVISION_KIND_CORRECTION,
    *,
    lot_id: str = LOT,
    made_ms: int = NOW_MS - 500,
    **changes: Any,
) -> revision_pb2.RecordRevision:
    """A revision that keeps every rule; a correction corrects these facts, `event_time` in epoch milliseconds, and what
    goes together with them.
    """
    made = revision_pb2.RecordRevision(
        lot_id=lot_id,
        record_id=record_id,
        revision=number,
        kind=kind,
        reason=record_pb2.REVISION_REASON_OBJECTION,
        author="staff-7",
    )
    made.made_time.FromMilliseconds(made_ms)
    for name, value in changes.items():
        if name == "event_time":
            made.changes.event_time.FromMilliseconds(value)
        else:
            setattr(made.changes, name, value)
        made.update_mask.paths.append(name)
    return made


def revision_of(
    number: int, kind: record_pb2.RevisionKind.ValueType, record_id: str = "e-1", **changes: Any
) -> record_pb2.LoggedRecord:
    """A revision as the log keeps it, without what is derived from a plate; it need not keep the rules."""
    stated = revised_of(revision(record_id, number, kind, **changes))
    return logged_of(stated, revised_digest(stated), NOW_MS)


def rules(*, future_tolerance_ms: int = 60_000) -> Rules:
    """Rules with a throw-away pseudonym key; the first possible event is the year 2000's."""
    return Rules(PlateReader(PLATE_KEY), future_tolerance_ms, earliest_event_ms=946_656_000_000)


ISSUERS: Final = ("risk-control", "registry", "access-records", "history-writer", "visits")


class Worker:
    """A process without an API of its own, as a task that can be cut off in the middle of whatever it does."""

    def __init__(self, bind: Bind[Any], settings: BaseSettings, name: str, clock: ManualClock) -> None:
        self._bind, self._settings, self._name, self._clock = bind, settings, name, clock
        self._task: asyncio.Task[None] | None = None

    @property
    def works(self) -> bool:
        """Whether it is at work."""
        return self._task is not None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """It works for the length of the block. Raises what it has failed with."""
        await self._start()
        try:
            yield
        finally:
            await self._stop()

    async def crash(self) -> None:
        """Cuts it off, and starts another in its place."""
        await self._stop()
        await self._start()

    async def _start(self) -> None:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._run(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        assert task is not None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _run(self, ready: asyncio.Event) -> None:
        async with running(self._bind, self._settings, name=self._name, clock=self._clock, issuers=ISSUERS):
            ready.set()
            await asyncio.Event().wait()


@dataclass(frozen=True)
class Platform:
    """The service with all that it needs, in this process but for the engines."""

    service: Running
    clock: ManualClock
    registry: StatedRegistry
    history: RunningServer
    log: EmbeddedServer
    writer: Worker
    """The history writer."""
    visits: Worker
    """The projection of visits, not at work."""

    async def drained(self) -> None:
        """Returns once the history holds all that both logs hold, and says so, and the visits have followed it if they
        are at work; TimeoutError after half a minute.
        """
        account = Account(self.history.url, "reader", self.history.secrets["reader"], deadline=30)
        async with redis.asyncio.Redis.from_url(self.log.url) as server, HistoryClient(account) as reader:
            ends = {}
            followed = {PROJECTION: history_writer.RECORDS, JOURNAL: JOURNAL}
            if self.visits.works:
                followed[VISITS] = history_writer.RECORDS
            for projection, log in followed.items():
                ends[projection] = int(await server.hget(f"{{{log}:0}}:gen", "next")) - 1  # type: ignore[arg-type]
            for _ in range(600):
                reached: dict[str, int] = dict(
                    await reader.rows("SELECT projection, offset FROM store.positions FINAL")
                )
                if all(reached.get(projection, 0) >= end for projection, end in ends.items()):
                    return
                await asyncio.sleep(0.05)
        raise TimeoutError("the history does not follow the log")

    async def forget(self) -> None:
        """Takes all keys from the log's index and all entries from the log, as time does once they are drained."""
        await self.drained()
        async with redis.asyncio.Redis.from_url(self.log.url) as server:
            async for key in server.scan_iter("{records:*}:idx:*"):
                await server.delete(key)
            await server.xtrim("{records:0}:log", maxlen=0)

    def put(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Puts rows into a table of the history; all have the same columns."""
        owner = clickhouse_connect.get_client(**self.history.connect("owner"))
        owner.insert(f"store.{table}", [list(row.values()) for row in rows], column_names=list(rows[0]))
        owner.close()

    def stub(self, caller: Caller | None = None) -> AccessRecordServiceStub:
        """The service as the vendor, or as somebody else, calls it."""
        return AccessRecordServiceStub(self.service.channel(caller or Caller(CallerKind.VENDOR, VENDOR, CLIENT)))

    def reconciliation(self, caller: Caller | None = None) -> ReconciliationServiceStub:
        """Reconciliation as the vendor, or as somebody else, calls it."""
        return ReconciliationServiceStub(self.service.channel(caller or Caller(CallerKind.VENDOR, VENDOR, CLIENT)))


@asynccontextmanager
async def composed_alone(folder: pathlib.Path) -> AsyncIterator[Platform]:
    """`composed` over engines of its own in that folder: for tests that compare all that the history holds."""
    with running_log(folder / "log") as log, running_server(folder / "history") as history:
        async with composed(log, history) as platform:
            yield platform


@asynccontextmanager
async def composed(log_server: EmbeddedServer, history_server: RunningServer) -> AsyncIterator[Platform]:
    """The service and its history writer over two engines; VENDOR holds grants for LOT and OTHER_LOT. Every lot has the
    gate g1, the device d1 and the berth b1.
    """
    lanes = {"in": gate_pb2.LANE_DIRECTION_ENTRY, "out": gate_pb2.LANE_DIRECTION_EXIT}
    registry = StatedRegistry(
        lot(LOT, operator_id=OPERATOR.subject),
        *(lot(one) for one in (OTHER_LOT, FOREIGN_LOT)),
        *(
            fact
            for one in (LOT, OTHER_LOT, FOREIGN_LOT)
            for fact in (gate(one, "g1", **lanes), device(one, "d1"), berth(one, "b1"))
        ),
        account(OPERATOR.account, role_pb2.ROLE_OPERATOR),
        account(COLLECTOR.account, role_pb2.ROLE_COLLECTOR, OTHER_LOT),
        credential(CLIENT, VENDOR),
        credential(OPERATOR.credential, OPERATOR.subject, role=role_pb2.ROLE_OPERATOR, account_id=OPERATOR.account),
        credential(DEVICE.credential, LOT, role=role_pb2.ROLE_DEVICE),
        credential(COLLECTOR.credential, COLLECTOR.subject, role=role_pb2.ROLE_COLLECTOR, account_id=COLLECTOR.account),
        grant(VENDOR, LOT),
        grant(VENDOR, OTHER_LOT),
    )
    clock = ManualClock()

    async def bind_registry(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(add_DirectoryServiceServicer_to_server, registry)

    async with AsyncExitStack() as stack:
        registered = await stack.enter_async_context(
            running(bind_registry, BaseSettings(), clock=clock, issuers=ISSUERS)
        )
        stores: dict[str, Any] = {
            "redis_url": log_server.url,
            "clickhouse_url": history_server.url,
            "clickhouse_user": "writer",
            "clickhouse_password": Secret(history_server.secrets["writer"]),
            "gather_milliseconds": 10,
        }
        writer_settings = WriterSettings(
            **stores,
            registry_address=registered.address,
            clickhouse_owner_user="owner",
            clickhouse_owner_password=Secret(history_server.secrets["owner"]),
            rebuild_poll_seconds=0.05,
        )
        visiting = Worker(visits.bind, VisitSettings(**stores), "visits", clock)
        writer = Worker(history_writer.bind, writer_settings, "history-writer", clock)
        await stack.enter_async_context(writer.at_work())
        report_key = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="report-key-"))) / "report.key"
        report_key.write_text(generate_key_pair()[0])
        settings = Settings(
            redis_url=log_server.url,
            registry_address=registered.address,
            clickhouse_url=history_server.url,
            clickhouse_user="reader",
            clickhouse_password=Secret(history_server.secrets["reader"]),
            plate_key=Secret(PLATE_KEY.decode()),
            report_key=report_key,
            coverage_refresh_seconds=0,
            exports_folder=pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())),
        )
        service = await stack.enter_async_context(
            running(app.bind, settings, name="access-records", clock=clock, issuers=ISSUERS)
        )
        yield Platform(service, clock, registry, history_server, log_server, writer, visiting)
