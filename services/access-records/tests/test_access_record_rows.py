"""What becomes of the record log's entries when the history writer is cut off between two of its tables."""

from typing import cast

import pytest
from access_records import tables
from access_records.archive import Archive, RecordId, Report
from access_records.records import logged
from access_records.testing import LOT, NOW_MS, entry, first_report, revision_of
from access_records.writing.record_rows import RecordRows
from eventlog import Entry
from history.errors import HistoryUnavailable
from history.writer import Batch, BatchWriter
from parkmesh.access.v1 import record_pb2

FIRST = logged.logged(entry().SerializeToString(), b"", bytes(32), NOW_MS, NOW_MS - 1000)
VOID = logged.revised(revision_of(1, record_pb2.REVISION_KIND_VOID))


class Store:
    """Both tables in memory, and what is asked of them; writing current rows fails as often as it is told to."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.current: list[Report] = []
        self.failures = 0

    async def write(self, batch: Batch) -> int:
        for name, months in batch.items():
            rows = [logged.read(row) for month in months.values() for row in month]
            if name == tables.CURRENT.name:
                if self.failures:
                    self.failures -= 1
                    raise HistoryUnavailable("away")
                self.current += rows
            else:
                self.reports += rows
        return 1

    async def orphans(self, until: int) -> set[RecordId]:
        known = [report for report in self.reports if report.log_offset <= until]
        firsts = {(report.lot_id, report.record_id) for report in known if not report.revision}
        return {(report.lot_id, report.record_id) for report in known if report.revision} - firsts

    async def reports_of(self, records: set[RecordId], until: int) -> dict[RecordId, list[Report]]:
        found: dict[RecordId, list[Report]] = {}
        for report in self.reports:
            if (report.lot_id, report.record_id) in records and report.log_offset <= until:
                found.setdefault((report.lot_id, report.record_id), []).append(report)
        return found

    def rows(self) -> RecordRows:
        archive = type("Asked", (), {"orphans": self.orphans, "reports": self.reports_of})
        made = cast(Archive, archive)
        return RecordRows(cast(BatchWriter, self), made)

    def holding(self) -> list[str]:
        """The ids that hold: of the rows at one place the last version, unless it is gone."""
        places: dict[tuple[str, int], Report] = {}
        for row in self.current:
            place = (row.record_id, row.event_ms)
            if place not in places or places[place].log_offset <= row.log_offset:
                places[place] = row
        return [row.record_id for row in places.values() if not row.gone]


def at(offset: int, payload: bytes) -> Entry:
    return Entry("epoch", 0, offset, NOW_MS, (payload,))


@pytest.mark.parametrize("restarted", [True, False])
async def test_a_void_that_waited_for_its_record_is_applied_although_the_writer_was_cut_off(restarted: bool) -> None:
    store = Store()
    rows = store.rows()
    await rows.write([at(1, VOID)])
    store.failures = 1
    with pytest.raises(HistoryUnavailable):
        await rows.write([at(2, FIRST)])
    if restarted:
        rows = store.rows()
    await rows.write([at(2, FIRST)])
    assert store.holding() == []
    assert store.current, "the tombstone is written"


async def test_entries_that_come_again_although_they_were_written_change_nothing() -> None:
    """As when their rows are durable and their position is not."""
    store = Store()
    rows = store.rows()
    await rows.write([at(1, VOID)])
    for _ in range(2):
        await rows.write([at(2, FIRST)])
        assert store.holding() == []


async def test_entries_that_come_again_in_smaller_parts_change_nothing() -> None:
    store = Store()
    await store.rows().write([at(1, VOID), at(2, FIRST)])
    rows = store.rows()
    await rows.write([at(1, VOID)])
    await rows.write([at(2, FIRST)])
    assert store.holding() == []


async def test_a_record_without_revisions_holds_as_it_came() -> None:
    store = Store()
    await store.rows().write([at(1, FIRST)])
    assert store.holding() == ["e-1"]
    assert [(row.lot_id, row.log_offset) for row in store.reports] == [(LOT, 1)]
    assert first_report(entry()).record_id == "e-1"
