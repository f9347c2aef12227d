"""The state of a record: its first report with its revisions applied by their numbers, whatever the order in which they
came (R5.2f, R5.2g). Nothing here is overwritten: a state is computed, from all that was ever reported under the id.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from parkmesh.access.v1 import record_pb2
from vocabulary.record import Facts, digest_of, facts_of

MOST_REVISIONS: Final = 64
"""The highest number that a revision can have."""

_PLATE: Final = frozenset({"plate_number"})
_DERIVED: Final = ("plate_normal", "plate_key", "plate_masked")


@dataclass(frozen=True, slots=True)
class State:
    """What holds of a record."""

    record: record_pb2.LoggedRecord
    """The facts that hold, with the digest over them. Acceptance, sender and warnings are those of the first report;
    `revision` and `revise_ms` those of the last revision; `log_offset` is the highest of it and them.
    """
    voided: bool
    places: frozenset[int]
    """The event times, in epoch milliseconds, at which the record holds or once held; without those of other first
    reports under the id.
    """
    passed: frozenset[int] = frozenset()
    """Event times of other first reports at which the record once held: there those stand again."""

    @property
    def etag(self) -> str:
        """Names the state: equal for equal facts, revisions and voids."""
        return f"{self.record.revision}-{self.record.digest[:8].hex()}{'-void' if self.voided else ''}"

    def rows(self) -> Iterator[record_pb2.LoggedRecord]:
        """Its rows among the current ones: one where it holds, and a tombstone everywhere else."""
        for place in sorted(self.places | {self.record.event_ms}):
            row = record_pb2.LoggedRecord()
            row.CopyFrom(self.record)
            row.gone = self.voided or place != self.record.event_ms
            row.event_ms = place
            row.event_time.FromMilliseconds(place)
            yield row


def first_report(reports: Iterable[record_pb2.LoggedRecord]) -> record_pb2.LoggedRecord | None:
    """Of some reports and revisions of one record the first report that came first; None when there is none."""
    firsts = [report for report in reports if not report.revision]
    return min(firsts, key=lambda report: report.log_offset, default=None)


def fold(reports: Iterable[record_pb2.LoggedRecord]) -> State | None:
    """The state of the record that all of these reports and revisions are of; None while its first report is missing.

    Of several first reports, or of several revisions under one number, the one that came first counts; the others are
    kept, and are not applied. The same one may come more than once.
    """
    ordered = sorted(reports, key=lambda report: (report.revision, report.log_offset))
    first = first_report(ordered)
    if first is None:
        return None
    record = record_pb2.LoggedRecord()
    record.CopyFrom(first)
    places = {first.event_ms}
    # Another first report under the id has a row of its own where it stands, which is not this record's to take away.
    foreign = {other.event_ms for other in ordered if not other.revision} - places
    voided = False
    record.log_offset = max(report.log_offset for report in ordered if report.revision or report is first)
    for report in _applied(ordered):
        record.revision = report.revision
        record.revise_ms = max(record.revise_ms, report.accept_ms)
        if report.revision_kind == record_pb2.REVISION_KIND_CORRECTION:
            _correct(record, report)
            places.add(record.event_ms)
        else:
            voided = report.revision_kind == record_pb2.REVISION_KIND_VOID
    if record.revision:
        record.digest = digest_of(facts_of(record))
    return State(record, voided, frozenset(places - foreign), frozenset((places & foreign) - {record.event_ms}))


def versions(reports: Iterable[record_pb2.LoggedRecord]) -> Iterator[Facts]:
    """The facts of the record as they were first reported and after each correction, by the numbers; none while its
    first report is missing. Each report is applied once, as the caller goes on.
    """
    ordered = sorted(reports, key=lambda report: (report.revision, report.log_offset))
    first = first_report(ordered)
    if first is None:
        return
    record = record_pb2.LoggedRecord()
    record.CopyFrom(first)
    yield facts_of(record)
    for report in _applied(ordered):
        if report.revision_kind == record_pb2.REVISION_KIND_CORRECTION:
            _correct(record, report)
            yield facts_of(record)


def current_rows(reports: Collection[record_pb2.LoggedRecord]) -> list[record_pb2.LoggedRecord]:
    """The current rows of all that was ever reported under one id; none while its first report is missing.

    An id that was used again, long after, for other facts: those stand where they happened.
    """
    state = fold(reports)
    if state is None:
        return []
    rows = list(state.rows())
    taken = {row.event_ms for row in rows}
    others: dict[int, record_pb2.LoggedRecord] = {}
    for report in sorted(reports, key=lambda report: report.log_offset):
        if not report.revision and report.event_ms not in taken:
            others[report.event_ms] = report
    return rows + [_again(other, state) for other in others.values()]


def _again(other: record_pb2.LoggedRecord, state: State) -> record_pb2.LoggedRecord:
    """The row of another first report: where the record once held it lies above the row that the record had there."""
    if other.event_ms not in state.passed:
        return other
    row = record_pb2.LoggedRecord()
    row.CopyFrom(other)
    row.log_offset = max(other.log_offset, state.record.log_offset)
    return row


def _applied(ordered: Iterable[record_pb2.LoggedRecord]) -> Iterator[record_pb2.LoggedRecord]:
    """Of reports by number and position the first revision under each number."""
    last = 0
    for report in ordered:
        if report.revision > last:
            last = report.revision
            yield report


def _correct(record: record_pb2.LoggedRecord, correction: record_pb2.LoggedRecord) -> None:
    fields = set(correction.revised_fields)
    if "event_time" in fields:
        fields.remove("event_time")
        record.event_time.CopyFrom(correction.event_time)
        record.event_ms = correction.event_ms
    if fields >= _PLATE:
        fields.update(_DERIVED)
    for name in fields:
        setattr(record, name, getattr(correction, name))
