"""What can be made anew, in the order in which one follows from the other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from eventlog import EventLog
from history.client import HistoryClient
from history.positions import Positions
from parkmesh.access.v1 import rebuild_pb2

from access_records.progress import PROJECTION
from access_records.rebuild.current import CurrentRows
from access_records.rebuild.hints import PLATES, VISIT_IDS, rebuild_index
from access_records.rebuild.paired import rebuild_paired
from access_records.rebuild.rebuilds import Making, Projection
from access_records.rebuild.shadow import Comparison, together
from access_records.visits.pairing import Limits
from access_records.writing.drain import Drain


def projections(
    owner: HistoryClient, log: EventLog, drains: Sequence[Drain], limits: Limits
) -> dict[Projection, Making]:
    """Every projection of the record log by its number; `drains` are those that follow it, `limits` those of visits."""

    @asynccontextmanager
    async def still() -> AsyncIterator[None]:
        async with AsyncExitStack() as held:
            for drain in drains:
                await held.enter_async_context(drain.still)
            yield

    current = CurrentRows(owner, Positions(owner, PROJECTION), log.epoch, log.shards, still)

    async def plates(check_only: bool) -> Comparison:
        return await rebuild_index(owner, PLATES, still, check_only=check_only)

    async def visits(check_only: bool) -> Comparison:
        ids = await rebuild_index(owner, VISIT_IDS, still, check_only=check_only)
        paired = await rebuild_paired(owner, log, limits, still, check_only=check_only)
        return together((ids, paired))

    return {
        rebuild_pb2.HISTORY_PROJECTION_CURRENT: current.rebuild,
        rebuild_pb2.HISTORY_PROJECTION_PLATES: plates,
        rebuild_pb2.HISTORY_PROJECTION_VISITS: visits,
    }
