"""Visits made anew from the records that hold, and the same visits by their plates."""

import asyncio
from dataclasses import replace
from typing import Final

from eventlog import EventLog
from history.client import HistoryClient
from history.errors import HistoryError
from history.positions import Positions

from access_records.progress import PROJECTION as HISTORY
from access_records.rebuild.current import Still
from access_records.rebuild.shadow import DEADLINE_S, Comparison, Shadow, together
from access_records.visits.follower import PROJECTION
from access_records.visits.pairing import Limits
from access_records.visits.rebuild import rebuild_visits

_OF_THE_RUN: Final = frozenset({"version"})
"""What says when a row was made, not what it says."""
_LOOK_S: Final = 0.2
_LOOKS: Final = 3_000


class VisitsAway(HistoryError):  # noqa: N818  # named for what must be repaired first
    """The projection of visits does not follow the history: it has to run, so that both are of one position."""


async def rebuild_paired(
    owner: HistoryClient, log: EventLog, limits: Limits, still: Still, *, check_only: bool
) -> Comparison:
    """Makes all visits anew and compares them; puts what differs in place unless it only checks.

    The history writer stands still meanwhile, and so do the visits, which never go further than it. VisitsAway.
    """
    visits, by_plate = Shadow(owner, "visits"), Shadow(owner, "visits_by_plate")
    await visits.make()
    await by_plate.make()
    await _both_reached(owner, log)  # what they have to catch up with is not waited for while the writer stands still
    async with still(), HistoryClient(replace(owner.account, deadline=DEADLINE_S)) as patient:
        reached = await _both_reached(owner, log)
        await rebuild_visits(patient, limits, lambda lot_id: reached.get(log.shard_of(lot_id)), into=visits.name)
        paired = await visits.compared("anchor_time", without=_OF_THE_RUN)
        for year in sorted({int(month) // 100 for month in await visits.partitions(visits.shadow)}):
            await by_plate.run("rebuilt_visits_by_plate", {"year": year}, visits=visits.name)
        found = await by_plate.compared("seen_time", without=_OF_THE_RUN)
        if not check_only:
            for month in sorted({difference.month for difference in paired.differences}):
                await visits.replace(str(month))
            for year in sorted({difference.month // 100 for difference in found.differences}):
                await by_plate.replace(str(year))
    await visits.drop()
    await by_plate.drop()
    return together((paired, found))


async def _both_reached(owner: HistoryClient, log: EventLog) -> dict[int, int]:
    """Up to where the history holds each shard of the log, once the visits have come as far."""
    history = await Positions(owner, HISTORY).read(log.epoch)
    for _ in range(_LOOKS):
        visits = await Positions(owner, PROJECTION).read(log.epoch)
        if all(visits.get(shard, 0) >= offset for shard, offset in history.items()):
            return history
        await asyncio.sleep(_LOOK_S)
    raise VisitsAway("the projection of visits does not follow the history")
