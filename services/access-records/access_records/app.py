"""Composes access-records: the log, the history, the directory, and the use cases over them."""

import asyncio
import uuid

from directory import Directory
from eventlog import EventLog
from history.client import HistoryClient
from mesh.server import Mesh
from mesh.settings import SettingsError
from parkmesh.access.v1.access_record_service_pb2_grpc import add_AccessRecordServiceServicer_to_server
from parkmesh.access.v1.coverage_service_pb2_grpc import add_CoverageServiceServicer_to_server
from parkmesh.access.v1.export_service_pb2_grpc import add_ExportServiceServicer_to_server
from parkmesh.access.v1.maintenance_service_pb2_grpc import add_MaintenanceServiceServicer_to_server
from parkmesh.access.v1.reconciliation_service_pb2_grpc import add_ReconciliationServiceServicer_to_server
from parkmesh.access.v1.statistics_service_pb2_grpc import add_StatisticsServiceServicer_to_server
from vocabulary import beijing

from access_records.archive import Archive
from access_records.coverage.coverage import Coverage, hours_in_force
from access_records.coverage.coverage_servicer import CoverageServicer
from access_records.coverage.hearing import Hearing
from access_records.coverage.speakers import Speakers
from access_records.exports.composition import made_exports
from access_records.exports.export_servicer import ExportServicer
from access_records.journal import JOURNAL, Journal
from access_records.progress import Progress
from access_records.rebuild.maintenance import Maintenance
from access_records.rebuild.maintenance_servicer import MaintenanceServicer
from access_records.reconciliation import composition
from access_records.reconciliation.servicer import ReconciliationServicer
from access_records.records.plates import PlateReader
from access_records.records.reading import Reading
from access_records.records.refusals import Refusals
from access_records.records.revise import Revisions
from access_records.records.rules import Rules
from access_records.records.servicer import AccessRecordServicer
from access_records.records.states import States
from access_records.records.upload import Uploads
from access_records.settings import Settings
from access_records.statistics.figures import Statistics
from access_records.statistics.statistics_servicer import StatisticsServicer
from access_records.turns import Turns
from access_records.visits.follower import PROJECTION as VISITS
from access_records.visits.search import LookingUp

_FIRST_YEAR = 1992
"""Until 1991 China had summer time: there ClickHouse's Beijing months begin at another instant than ours."""

ITEM_VALIDATED = frozenset(
    f"/parkmesh.access.v1.AccessRecordService/{method}"
    for method in ("UploadRecords", "StreamRecords", "UploadRevisions")
)
"""Methods whose records are checked one by one by the servicer, so that a bad one does not hold back the others."""


async def bind(settings: Settings, mesh: Mesh) -> None:
    """Builds the service in order."""
    log = await mesh.stack.enter_async_context(
        await EventLog.open(settings.redis_url, clock=mesh.clock.now_ms, limits=settings.limits())
    )
    history = await mesh.stack.enter_async_context(HistoryClient(settings.account(settings.history_deadline_seconds)))
    directory = Directory(
        mesh.channel(settings.registry_address),
        mesh.clock,
        max_age_ms=int(settings.directory_max_age_hours * beijing.HOUR_MS),
    )
    speakers = Speakers()
    directory.subscribe(speakers.changed)
    mesh.background("directory", directory.run)
    synced = asyncio.Event()
    await mesh.when_ready(synced)

    async def tell_synced() -> None:
        await directory.wait_synced()
        synced.set()

    mesh.background("first sync", tell_synced)
    if settings.earliest_event_year < _FIRST_YEAR:
        raise SettingsError(f"ACCESS_RECORDS_EARLIEST_EVENT_YEAR must be {_FIRST_YEAR} or later")
    tolerance_ms = int(settings.future_tolerance_seconds * 1000)
    plates = PlateReader(settings.plate_key.reveal().encode())
    rules = Rules(
        plates,
        future_tolerance_ms=tolerance_ms,
        earliest_event_ms=beijing.day_bounds_of(f"{settings.earliest_event_year:04}-01-01").start_ms,
    )
    archive = Archive(history)
    # Nothing is accepted before it happens, give or take the tolerance, so what the index forgot is older than this.
    horizon_ms = settings.horizon_hours * beijing.HOUR_MS - tolerance_ms
    journal_log = await mesh.stack.enter_async_context(
        await EventLog.open(settings.redis_url, clock=mesh.clock.now_ms, name=JOURNAL, limits=settings.limits())
    )
    journal = Journal(journal_log)
    refusals = Refusals(journal, directory, settings.rejections_noted)
    uploads = Uploads(log, archive, directory, rules, horizon_ms, refusals)
    states = States(log, archive)
    revisions = Revisions(log, archive, states, directory, rules, refusals)
    progress = Progress(log, history)
    reading = Reading(states, archive, progress, directory)
    looking_up = LookingUp(history, Progress(log, history, VISITS), reading, journal, plates, mesh.ids)
    mesh.serve(
        add_AccessRecordServiceServicer_to_server,
        AccessRecordServicer(uploads, revisions, reading, looking_up, directory, mesh.clock),
        item_validated=ITEM_VALIDATED,
    )
    maintenance = Maintenance(journal, history, lambda: uuid.uuid4().hex)
    mesh.serve(add_MaintenanceServiceServicer_to_server, MaintenanceServicer(maintenance, mesh.clock))
    hearing = Hearing(archive, progress, int(settings.coverage_refresh_seconds * 1000))
    coverage = Coverage(directory, speakers, hearing, hours_in_force(directory, settings.silent_after_hours))
    mesh.serve(add_CoverageServiceServicer_to_server, CoverageServicer(coverage, mesh.clock))
    cases = composition.use_cases(settings, log, journal_log, history, archive, directory, reading)
    mesh.serve(add_ReconciliationServiceServicer_to_server, ReconciliationServicer(cases, directory, mesh.clock))
    turns = Turns(settings.heavy_questions, settings.heavy_wait_seconds)
    statistics = Statistics(directory, history, progress, settings.department_rounding, turns)
    mesh.serve(add_StatisticsServiceServicer_to_server, StatisticsServicer(statistics, mesh.clock))
    exports = made_exports(settings, mesh, journal_log, history, directory, progress, turns)
    mesh.serve(add_ExportServiceServicer_to_server, ExportServicer(exports, mesh.clock))
