"""Composes the projection: the log, the history, and a follower for each shard."""

import asyncio
import logging

from eventlog import EventLog
from history.client import HistoryClient
from history.durability import verify_durable
from history.errors import HistoryUnavailable, NotDurable
from history.positions import Positions
from history.writer import BatchWriter
from mesh.clock import Clock
from mesh.server import Mesh

from access_records import progress
from access_records.archive import Archive
from access_records.queries import query
from access_records.settings import VisitSettings
from access_records.visits.batches import Batches
from access_records.visits.changes import TABLES
from access_records.visits.follower import PROJECTION, Follower, Pace
from access_records.visits.neighbours import Neighbours
from access_records.visits.projection import Projection
from access_records.visits.rebuild import Remaking

_log = logging.getLogger(__name__)

_DEADLINE_S = 60.0
_RETRY_S = 0.5


async def bind(settings: VisitSettings, mesh: Mesh) -> None:
    """Builds the projection in order; it is ready once the history writer has made the table of visits."""
    log = await mesh.stack.enter_async_context(
        await EventLog.open(settings.redis_url, clock=mesh.clock.now_ms, limits=settings.limits())
    )
    client = await mesh.stack.enter_async_context(HistoryClient(settings.account(_DEADLINE_S)))
    followers = [follower(settings, mesh.clock, log, client, shard) for shard in range(log.shards)]
    made = asyncio.Event()
    await mesh.when_ready(made)

    async def follow() -> None:
        await _table(client)
        made.set()
        async with asyncio.TaskGroup() as group:
            for one in followers:
                group.create_task(one.run())

    mesh.background("visits", follow)


def follower(
    settings: VisitSettings,
    clock: Clock,
    log: EventLog,
    client: HistoryClient,
    shard: int,
    own: Positions | None = None,
) -> Follower:
    """The follower of one shard; `own` are the positions that it keeps, those of the visits by default."""
    limits = settings.pairing()

    return Follower(
        log,
        shard,
        Batches(Archive(client)),
        Projection(Neighbours(client), limits, settings.known_lines),
        BatchWriter(client, TABLES),
        own=own or Positions(client, PROJECTION),
        history=Positions(client, progress.PROJECTION),
        remaking=Remaking(client, limits, lambda lot_id: log.shard_of(lot_id) == shard),
        clock=clock,
        pace=Pace(settings.batch_records, settings.gather_milliseconds / 1000),
    )


async def _table(client: HistoryClient) -> None:
    """Returns when the history has the tables of visits, and what feeds the one from the other."""
    while True:
        try:
            await verify_durable(client, [table.name for table in TABLES])
            if await client.rows(query("feed_of_visits")):
                return
        except (HistoryUnavailable, NotDurable):
            pass
        _log.info("waiting for the tables of visits")
        await asyncio.sleep(_RETRY_S)
