"""Keeps the history's lots equal to the registry's, as the directory tells of changes."""

import asyncio
import logging
from typing import Final

from directory import Change, Directory, LotFacts
from history.errors import HistoryUnavailable
from history.writer import BatchWriter
from mesh.clock import Clock
from parkmesh.access.v1 import lot_row_pb2
from parkmesh.registry.v1 import coordinate_pb2
from vocabulary import division

from access_records import tables

_log = logging.getLogger(__name__)
_RETRY_S: Final = 1.0


class LotRows:
    """Writes every lot that is new or changed; after a restart all of them, which changes nothing that is equal."""

    def __init__(self, directory: Directory, writer: BatchWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._changed: dict[str, LotFacts] = {}
        self._wake = asyncio.Event()
        self._version = 0
        directory.subscribe(self._note)

    def _note(self, change: Change) -> None:
        if isinstance(change.after, LotFacts):
            self._changed[change.after.lot_id] = change.after
            self._wake.set()

    async def run(self) -> None:
        """Follows until cancelled; waits while ClickHouse is away."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, {}
            self._version = max(self._version + 1, self._clock.now_ms())
            rows = [row_of(lot, self._version).SerializeToString() for lot in changed.values()]
            try:
                await self._writer.write({tables.LOTS.name: {0: rows}})
            except HistoryUnavailable:
                _log.warning("%d changed lots wait: the history does not answer", len(rows))
                self._changed = changed | self._changed
                self._wake.set()
                await asyncio.sleep(_RETRY_S)


def row_of(lot: LotFacts, version: int) -> lot_row_pb2.LotRow:
    """The row of a lot."""
    row = lot_row_pb2.LotRow(
        lot_id=lot.lot_id,
        registration_number=lot.registration_number,
        name=lot.name,
        type=lot.type,
        division_code=lot.division_code,
        division_name=division.name(lot.division_code) or "",
        address=lot.address,
        open_berths=lot.open_berths,
        state=lot.state,
        version=version,
    )
    if lot.position:
        row.latitude, row.longitude = lot.position.gcj02
        row.coordinate_system = coordinate_pb2.COORDINATE_SYSTEM_GCJ02
    return row
