"""What the history writer makes of the record log: a row for each report and revision, and the rows that hold now."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from eventlog import Entry
from history.writer import BatchWriter
from vocabulary import beijing

from access_records import tables
from access_records.archive import Archive, RecordId
from access_records.records import logged
from access_records.records.state import current_rows

Rows = dict[int, list[bytes]]
"""Serialized rows by month: of acceptance for revisions, of the event for current rows."""

_month: Final = beijing.month


class Taken(NamedTuple):
    """What some entries hold."""

    reports: Rows
    """The rows of all reports and revisions, by the month of acceptance."""
    firsts: list[tuple[int, bytes]]
    """The rows of first reports, each with the instant of its event in epoch milliseconds."""
    revised: set[RecordId]
    """The records that are revised."""


class RecordRows:
    """Writes the rows of some entries of the record log; writing them again, perhaps cut elsewhere, changes nothing.

    A first report is a current row as it is. Where revisions have come, the rows are computed from all that the history
    holds under the id, so that the order of arrival does not matter: the reports are written first.
    """

    def __init__(self, writer: BatchWriter, archive: Archive) -> None:
        """The writer must know both tables, the archive read what it has written."""
        self._writer = writer
        self._archive = archive
        self._orphans: set[RecordId] = set()
        self._reached: int | None = None

    async def write(self, entries: Sequence[Entry]) -> None:
        """Returns once all rows are durable. Raises what the writer and the archive raise."""
        before, until = entries[0].first - 1, entries[-1].last
        if self._reached != before:
            # Begun, or begun again: what these entries hold may be in the history already, their current rows or not.
            self._orphans = await self._archive.orphans(before)
        self._reached = None
        await self._write(sorted_out(entries), self._orphans, until)
        self._reached = until

    async def _write(self, taken: Taken, orphans: set[RecordId], until: int) -> None:
        await self._writer.write({tables.REVISIONS.name: taken.reports})
        firsts, revised = taken.firsts, taken.revised
        if revised or orphans:
            awaited = revised | orphans
            named = [(_id_of(row), event_ms, row) for event_ms, row in firsts]
            revised |= {record for record, _, _ in named if record in orphans}
            firsts = [(event_ms, row) for record, event_ms, row in named if record not in awaited]
        current = by_month(firsts)
        await self._revise(revised, current, orphans, until)
        await self._writer.write({tables.CURRENT.name: current})

    async def _revise(self, revised: set[RecordId], current: Rows, orphans: set[RecordId], until: int) -> None:
        """Adds the current rows of all records under these ids, as of the log position `until`."""
        found = await self._archive.reports(revised, until)
        for record in revised:
            rows = current_rows(found.get(record, []))
            if not rows:
                orphans.add(record)
                continue
            orphans.discard(record)
            for row in rows:
                current.setdefault(_month(row.event_ms), []).append(row.SerializeToString())


def sorted_out(entries: Sequence[Entry]) -> Taken:
    """The reports of some entries, apart from one another by what becomes of them."""
    reports: Rows = {}
    firsts: list[tuple[int, bytes]] = []
    revised: set[RecordId] = set()
    for entry in entries:
        for offset, payload in enumerate(entry.payloads, entry.first):
            accept_ms, event_ms = logged.times(payload)
            row = logged.placed(payload, entry.shard, offset)
            reports.setdefault(_month(accept_ms), []).append(row)
            if logged.is_revision(payload):
                revised.add(_id_of(payload))
            else:
                firsts.append((event_ms, row))
    return Taken(reports, firsts, revised)


def by_month(rows: Iterable[tuple[int, bytes]]) -> Rows:
    """Rows with the instants, in epoch milliseconds, by whose months they are filed."""
    found: Rows = {}
    for at_ms, row in rows:
        found.setdefault(_month(at_ms), []).append(row)
    return found


def _id_of(payload: bytes) -> RecordId:
    report = logged.read(payload)
    return report.lot_id, report.record_id
