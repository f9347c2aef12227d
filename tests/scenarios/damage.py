"""Damage done on purpose to the books of a replayed day, so that reconciliation can be held to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import record_pb2
from parkmesh_cli.replay import day, files
from parkmesh_sdk import Client
from parkmesh_sdk.reconciliation import MemoryBooks
from vocabulary import beijing

from ..city import connection

_LOTS: Final = 4


@dataclass
class Damage:
    """What is wrong where."""

    books: set[tuple[str, str]] = field(default_factory=set)
    """Lot id and Beijing day of every damaged record."""
    records: dict[str, set[str]] = field(default_factory=dict)
    """Record ids by the kind of difference that they are to be found as."""

    def add(self, record: record_pb2.AccessRecord, kind: str) -> None:
        """This record is to be found."""
        self.books.add((record.lot_id, beijing.day_key(record.event_time.ToMilliseconds())))
        self.records.setdefault(kind, set()).add(f"{record.lot_id} {record.record_id}")


@asynccontextmanager
async def damaged(
    platform: RunningPlatform, lots: Path, readings: Path
) -> AsyncIterator[tuple[Client, dict[str, MemoryBooks], Damage]]:
    """The vendor's client, the books of some lots by lot id, and what is wrong with them.

    In each lot the vendor lacks some records, has voided some, has some with another plate or at another time, and has
    some that it never sent.
    """
    series = files.read_free_spaces(readings, files.read_lots(lots))
    busiest = sorted(series, key=lambda lot: (-day.count({lot: series[lot]}), lot))[:_LOTS]
    async with Client(connection(platform)) as vendor:
        known = {lot.registration_number: lot.lot_id async for lot in vendor.list_lots()}
        damage = Damage()
        books: dict[str, MemoryBooks] = {}
        for lot_id in (known[lot] for lot in busiest):
            # What the file holds: that the platform's books agree with it is a test of its own.
            records = [stored.record async for stored in vendor.list_records(lot_id)]
            books[lot_id] = _books(records, damage)
        yield vendor, books, damage


def _books(records: list[record_pb2.AccessRecord], damage: Damage) -> MemoryBooks:
    books = MemoryBooks(records)
    for record in records[7::401]:
        books.erase(record.record_id)
        damage.add(record, "EXTRA")
    for record in records[100::503]:
        books.write(_changed(record, plate_number="闽B54321"))
        damage.add(record, "DIFFERENT")
    for record in records[250::607]:
        moved = _changed(record)
        moved.event_time.seconds += 1
        books.write(moved)
        damage.add(record, "DIFFERENT")
    for record in records[33::307]:
        books.write(record, voided=True)
        damage.add(record, "EXTRA")
    for record in records[60::709]:
        invented = _changed(record, record_id=f"{record.record_id}-invented")
        books.write(invented)
        damage.add(invented, "MISSING")
    return books


def _changed(record: record_pb2.AccessRecord, **changes: str) -> record_pb2.AccessRecord:
    changed = record_pb2.AccessRecord()
    changed.CopyFrom(record)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed
