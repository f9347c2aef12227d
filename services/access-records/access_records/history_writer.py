"""Runs the history writer, the one process that writes the history: `python -m access_records.history_writer`."""

import asyncio
import importlib.resources
import logging
from collections.abc import Callable

from directory import Directory
from eventlog import EventLog
from history import migrations
from history.client import HistoryClient
from history.errors import HistoryUnavailable
from history.positions import Positions
from history.writer import BatchWriter
from mesh.server import Mesh, run
from parkmesh.registry.v1.change_service_pb2 import FACT_KIND_GATE, FACT_KIND_LOT, FACT_KIND_OPERATOR

from access_records import schema, tables
from access_records.archive import Archive
from access_records.journal import JOURNAL
from access_records.progress import PROJECTION
from access_records.rebuild.projections import projections
from access_records.rebuild.rebuilds import Rebuilds
from access_records.settings import WriterSettings
from access_records.writing import beijing_calendar, codes, retention
from access_records.writing.drain import Drain, Pace, Rows
from access_records.writing.journal_rows import JournalRows
from access_records.writing.record_rows import RecordRows
from access_records.writing.registry_rows import TABLES, RegistryRows
from access_records.writing.retention import Retention

_log = logging.getLogger(__name__)

DATABASE = "store"
"""Where the record of applied migrations is kept."""
RECORDS = "records"
"""The record log's name on the server."""
_INSERT_DEADLINE_S = 60.0
_RETRY_S = 0.5


async def bind(settings: WriterSettings, mesh: Mesh) -> None:
    """Builds the writer in order; it is ready once the history's schema is there."""
    records, journal = [
        await mesh.stack.enter_async_context(
            await EventLog.open(settings.redis_url, clock=mesh.clock.now_ms, name=name, limits=settings.limits())
        )
        for name in (RECORDS, JOURNAL)
    ]
    client = await mesh.stack.enter_async_context(HistoryClient(settings.account(_INSERT_DEADLINE_S)))
    kinds = [FACT_KIND_LOT, FACT_KIND_OPERATOR, FACT_KIND_GATE]
    directory = Directory(mesh.channel(settings.registry_address), mesh.clock, kinds=kinds)
    pace = Pace(settings.batch_records, settings.gather_milliseconds / 1000, settings.trim_every_seconds)
    registry_rows = RegistryRows(directory, client, BatchWriter(client, TABLES))
    archive = Archive(client)

    def drains(log: EventLog, rows: Callable[[], Rows], projection: str) -> list[Drain]:
        return [
            Drain(log, shard, rows(), Positions(client, projection), mesh.clock, pace) for shard in range(log.shards)
        ]

    def record_rows() -> Rows:
        return RecordRows(BatchWriter(client, [tables.REVISIONS, tables.CURRENT]), archive)

    def journal_rows() -> Rows:
        return JournalRows(BatchWriter(client, list(tables.JOURNAL.values())))

    record_drains = drains(records, record_rows, PROJECTION)
    followers = record_drains + drains(journal, journal_rows, JOURNAL)
    kept = settings.retention()
    migrated = asyncio.Event()
    await mesh.when_ready(migrated)

    async def follow() -> None:
        async with HistoryClient(settings.owner()) as owner, asyncio.TaskGroup() as group:
            await migrate(owner, kept)
            await filled(client)
            migrated.set()
            rebuilds = Rebuilds(owner, projections(owner, records, record_drains, settings.pairing()), mesh.clock)
            group.create_task(rebuilds.run(settings.rebuild_poll_seconds))
            group.create_task(directory.run())
            group.create_task(registry_rows.run())
            for drain in followers:
                group.create_task(drain.run())

    mesh.background("history writer", follow)


async def migrate(client: HistoryClient, kept: Retention = Retention()) -> None:  # noqa: B008 - it is a value
    """Brings the history's schema up to date, and for how long it keeps; waits while ClickHouse is away."""
    files = importlib.resources.files(schema)
    while True:
        try:
            applied = await migrations.migrate(client, migrations.load(files / "migrations"), DATABASE)
            await retention.apply(client, kept)
            await migrations.make_views(client, migrations.load_views(files / "views"))
        except HistoryUnavailable:
            _log.warning("the history does not answer; waiting to migrate")
            await asyncio.sleep(_RETRY_S)
        else:
            _log.info("schema is up to date", extra={"applied": len(applied)})
            return


async def filled(client: HistoryClient) -> None:
    """Writes the calendar and the names of codes; waits while ClickHouse is away."""
    while True:
        try:
            await beijing_calendar.fill(client)
            await codes.fill(client)
        except HistoryUnavailable:
            _log.warning("the history does not answer; waiting to fill the calendar and the codes")
            await asyncio.sleep(_RETRY_S)
        else:
            return


if __name__ == "__main__":
    run("history-writer", WriterSettings, bind)
