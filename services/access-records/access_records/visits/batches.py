"""What a stretch of the log says of the records: first reports as they are, revised records as they hold after it."""

from collections.abc import Iterable, Sequence

from eventlog import Entry

from access_records.archive import Archive, RecordId, Report
from access_records.records import logged
from access_records.records.state import fold
from access_records.visits.pairing import Passage
from access_records.visits.passages import of_record
from access_records.visits.projection import Batch, Revised


class Batches:
    """Reads batches from entries. The history must hold all that stands in the entries."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._orphans: set[RecordId] | None = None

    def forget(self) -> None:
        """Forgets what is known of revisions that wait for their records."""
        self._orphans = None

    async def batch(self, entries: Sequence[Entry], now_ms: int) -> Batch:
        """The batch of these entries, of which there is at least one. Raises HistoryUnavailable."""
        every = (logged.read(payload) for entry in entries for payload in entry.payloads)
        return await self._batch(entries[0].first - 1, entries[-1].last, every, now_ms)

    async def kept(self, shard: int, after: int, until: int, now_ms: int) -> Batch:
        """The batch of a stretch that the log holds no more, from what the history keeps of it. Raises
        HistoryUnavailable.
        """
        return await self._batch(after, until, await self._archive.reports_between(shard, after, until), now_ms)

    async def _batch(self, after: int, until: int, every: Iterable[Report], now_ms: int) -> Batch:
        if self._orphans is None:
            self._orphans = await self._archive.orphans(after)
        reports: list[Report] = []
        revised: set[RecordId] = set()
        for report in every:
            if report.revision:
                revised.add((report.lot_id, report.record_id))
            else:
                reports.append(report)
        waiting = revised | self._orphans
        fresh: list[Passage] = []
        if waiting:
            for report in reports:
                record = (report.lot_id, report.record_id)
                if record in waiting:
                    revised.add(record)
                else:
                    fresh.append(of_record(report))
        else:
            fresh = [of_record(report) for report in reports]
        return Batch(after, until, fresh, await self._revised(revised, until) if revised else [], now_ms)

    async def _revised(self, records: set[RecordId], until: int) -> list[Revised]:
        assert self._orphans is not None
        found = await self._archive.reports(records, until)
        revised: list[Revised] = []
        for record in records:
            reports = found.get(record, [])
            state = fold(reports)
            if state is None:
                self._orphans.add(record)
                continue
            self._orphans.discard(record)
            revised.append(revised_of(record, reports))
        return revised


def revised_of(record: RecordId, reports: Sequence[Report]) -> Revised:
    """A record with revisions, of which the first report is there."""
    state = fold(reports)
    assert state is not None
    places = state.places | {state.record.event_ms}
    # An id that was used again, long after, for other facts: those stand where they happened.
    others = [report for report in reports if not report.revision and report.event_ms not in places]
    holding = [] if state.voided else [of_record(state.record)]
    return Revised(
        *record,
        passages=holding + [of_record(other) for other in others],
        instants=places | {other.event_ms for other in others},
        plates=frozenset(report.plate_key for report in reports if report.plate_key),
        visit_ids=frozenset(report.visit_id for report in reports if report.visit_id),
    )
