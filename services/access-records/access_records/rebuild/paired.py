"""Visits made anew from the records that hold."""

import asyncio
from dataclasses import replace
from typing import Final

from eventlog import EventLog
from history.client import HistoryClient
from history.errors import HistoryError
from history.positions import Positions

from access_records.progress import PROJECTION as HISTORY
from access_records.rebuild.current import Still
from access_records.rebuild.shadow import DEADLINE_S, Comparison, Shadow
from access_records.visits.follower import PROJECTION
from access_records.visits.pairing import Limits
from access_records.visits.rebuild import rebuild_visits

_LOOK_S: Final = 0.2
_LOOKS: Final = 3_000


class VisitsAway(HistoryError):  # noqa: N818  # named for what must be repaired first
    """The projection of visits does not follow the history: it has to run, so that both are of one position."""


async def rebuild_paired(
    owner: HistoryClient, log: EventLog, limits: Limits, still: Still, *, check_only: bool
) -> Comparison:
    """Makes all visits anew and compares them; puts months that differ in place unless it only checks.

    The history writer stands still meanwhile, and so do the visits, which never go further than it. VisitsAway.
    """
    shadow = Shadow(owner, "visits")
    await shadow.make()
    await _both_reached(owner, log)  # what they have to catch up with is not waited for while the writer stands still
    async with still(), HistoryClient(replace(owner.account, deadline=DEADLINE_S)) as patient:
        reached = await _both_reached(owner, log)
        await rebuild_visits(patient, limits, lambda lot_id: reached.get(log.shard_of(lot_id)), into=shadow.name)
        comparison = await shadow.compared(without={"version", "made_time"})
        if not check_only:
            for month in sorted({str(difference.month) for difference in comparison.differences}):
                await shadow.replace(month)
                await shadow.run("rebuilt_visit_plates", {"month": int(month)})
    await shadow.drop()
    return comparison


async def _both_reached(owner: HistoryClient, log: EventLog) -> dict[int, int]:
    """Up to where the history holds each shard of the log, once the visits have come as far."""
    history = await Positions(owner, HISTORY).read(log.epoch)
    for _ in range(_LOOKS):
        visits = await Positions(owner, PROJECTION).read(log.epoch)
        if all(visits.get(shard, 0) >= offset for shard, offset in history.items()):
            return history
        await asyncio.sleep(_LOOK_S)
    raise VisitsAway("the projection of visits does not follow the history")
