"""The current rows made anew: plain first reports in SQL, whatever was revised by the same fold as when it came."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from history.client import HistoryClient
from history.positions import Positions
from history.writer import BatchWriter
from parkmesh.access.v1.rebuild_pb2 import HISTORY_PROJECTION_CURRENT

from access_records import tables
from access_records.archive import Archive, RecordId
from access_records.queries import query
from access_records.rebuild.shadow import DEADLINE_S, Comparison, Shadow
from access_records.records.state import current_rows
from access_records.writing.record_rows import by_month

Still = Callable[[], AbstractAsyncContextManager[None]]
"""A block in which the history writer writes no records, so that its positions hold still."""
_RECORDS: Final = 1_000
_END: Final = 2**64 - 1


class CurrentRows:
    """The projection of the records that hold now."""

    number = HISTORY_PROJECTION_CURRENT

    def __init__(self, owner: HistoryClient, positions: Positions, epoch: str, shards: int, still: Still) -> None:
        self._owner = owner
        self._shadow = Shadow(owner, "records_current")
        self._archive = Archive(owner)
        self._positions = positions
        self._epoch = epoch
        self._shards = shards
        self._still = still
        self._writer = BatchWriter(owner, [replace(tables.CURRENT, name=self._shadow.name)])

    async def rebuild(self, check_only: bool) -> Comparison:
        """Makes the rows anew and compares them; puts months that differ in place unless it only checks.

        The bulk is made while the history writer goes on; it stands still for what came meanwhile and the comparison.
        """
        shadow = self._shadow
        await shadow.make()
        reached = await self._reached()
        await self._fill([0] * self._shards, reached)
        async with self._still():
            await self._fill(reached, [_END] * self._shards)
            comparison = await shadow.compared("event_time")
            if not check_only:
                for month in sorted({difference.month for difference in comparison.differences}):
                    await shadow.replace(str(month))
        await shadow.drop()
        return comparison

    async def _reached(self) -> list[int]:
        offsets = await self._positions.read(self._epoch)
        return [offsets.get(shard, 0) for shard in range(self._shards)]

    async def _fill(self, after: Sequence[int], until: Sequence[int]) -> None:
        """Adds the rows that follow from reports between two places of each shard."""
        bounds = {"after": list(after), "until": list(until)}
        columns = await self._shadow.common("record_revisions")
        for month in await self._shadow.partitions("record_revisions"):
            await self._shadow.run("rebuilt_plain_rows", {**bounds, "month": month}, columns=columns)
        async with self._owner.blocks(query("revised_records"), bounds, deadline=DEADLINE_S) as blocks:
            async for records in blocks:
                for start in range(0, len(records), _RECORDS):
                    await self._fold([(lot_id, record_id) for lot_id, record_id in records[start : start + _RECORDS]])

    async def _fold(self, records: Sequence[RecordId]) -> None:
        found = await self._archive.reports(records)
        rows = [row for reports in found.values() for row in current_rows(reports)]
        filed = by_month((row.event_ms, row.SerializeToString()) for row in rows)
        await self._writer.write({self._shadow.name: filed})
