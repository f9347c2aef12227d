"""The state of a record against a plain dictionary of its facts, whatever the order in which reports came."""

from typing import Any

from access_records.records import state
from access_records.testing import NOW_MS, entry, first_report, revision_of
from hypothesis import assume, example, given
from hypothesis import strategies as st
from parkmesh.access.v1 import record_pb2
from vocabulary.record import Facts, digest_of, facts_of

CORRECTION = record_pb2.REVISION_KIND_CORRECTION
VOID = record_pb2.REVISION_KIND_VOID
REINSTATEMENT = record_pb2.REVISION_KIND_REINSTATEMENT

_changes = st.fixed_dictionaries(
    {},
    optional={
        "event_time": st.integers(NOW_MS - 5, NOW_MS),
        "gate_id": st.sampled_from(["g1", "g2", ""]),
        "visit_id": st.sampled_from(["v1", "v2", ""]),
        "vehicle_class": st.sampled_from([1, 2, 3]),
        "plate_number": st.sampled_from(["闽B12345", "闽B54321", ""]),
    },
)
_revision = st.tuples(st.integers(1, 6), st.sampled_from([CORRECTION, CORRECTION, VOID, REINSTATEMENT]), _changes)


def arrived(revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int) -> list[record_pb2.LoggedRecord]:
    """The reports as the log holds them, in the order they came, the first report as the `first_at`-th."""
    reports = [revision_of(number, kind, **changes) for number, kind, changes in revisions]
    reports.insert(min(first_at, len(reports)), first_report(entry()))
    for offset, report in enumerate(reports, 1):
        report.log_offset = offset
        report.accept_ms = NOW_MS + offset
    return reports


def expected(reports: list[record_pb2.LoggedRecord]) -> tuple[dict[str, Any], bool, int]:
    """Facts, void and last number: what came first under a number counts, and numbers are applied in order."""
    by_number: dict[int, record_pb2.LoggedRecord] = {}
    for report in reports:
        by_number.setdefault(report.revision, report)
    facts = facts_of(by_number[0])._asdict()
    void = False
    for number in sorted(set(by_number) - {0}):
        report = by_number[number]
        if report.revision_kind == CORRECTION:
            told = facts_of(report)._asdict()
            for name in report.revised_fields:
                fact = "event_time_ms" if name == "event_time" else name
                facts[fact] = told[fact]
        else:
            void = report.revision_kind == VOID
    return facts, void, max(by_number)


@given(st.lists(_revision, max_size=8), st.integers(0, 8))
def test_a_state_is_what_the_model_says(revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int) -> None:
    reports = arrived(revisions, first_at)
    facts, void, last = expected(reports)
    found = state.fold(reports)
    assert found is not None
    assert facts_of(found.record)._asdict() == facts
    assert (found.voided, found.record.revision) == (void, last)
    assert found.record.digest == digest_of(facts_of(found.record))
    assert found.record.log_offset == len(reports)
    assert found.record.accept_ms == next(report.accept_ms for report in reports if not report.revision)


@given(st.lists(_revision, max_size=6), st.integers(0, 6), st.randoms(use_true_random=False), st.data())
def test_it_depends_on_what_came_and_not_on_how_it_is_given(
    revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int, chance: Any, data: st.DataObject
) -> None:
    reports = arrived(revisions, first_at)
    shuffled = [*reports, *data.draw(st.lists(st.sampled_from(reports)))]
    chance.shuffle(shuffled)
    assert state.fold(shuffled) == state.fold(reports)


@given(st.lists(_revision, max_size=6, unique_by=lambda one: one[0]), st.integers(0, 6), st.integers(0, 6))
def test_with_one_revision_under_each_number_the_order_of_arrival_changes_nothing(
    revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int, other_at: int
) -> None:
    here, there = state.fold(arrived(revisions, first_at)), state.fold(arrived(revisions[::-1], other_at))
    assert here is not None
    assert there is not None
    assert facts_of(here.record) == facts_of(there.record)
    assert (here.voided, here.etag, here.places) == (there.voided, there.etag, there.places)


@given(st.lists(_revision, max_size=8), st.integers(0, 8))
def test_the_current_rows_of_all_steps_leave_one_row_where_the_record_holds(
    revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int
) -> None:
    """As the history keeps them: of the rows at one place the one with the highest position, unless it is gone."""
    reports = arrived(revisions, first_at)
    rows: dict[int, record_pb2.LoggedRecord] = {}
    for count in range(1, len(reports) + 1):
        step = state.fold(reports[:count])
        for row in step.rows() if step else ():
            if row.event_ms not in rows or rows[row.event_ms].log_offset <= row.log_offset:
                rows[row.event_ms] = row
    last = state.fold(reports)
    assert last is not None
    live = [row for row in rows.values() if not row.gone]
    assert [(row.event_ms, row.digest) for row in live] == (
        [] if last.voided else [(last.record.event_ms, last.record.digest)]
    )


def kept(rows: list[record_pb2.LoggedRecord]) -> set[tuple[int, bytes, int]]:
    """What holds of the rows that were written, as the history keeps them."""
    places: dict[int, record_pb2.LoggedRecord] = {}
    for row in rows:
        if row.event_ms not in places or places[row.event_ms].log_offset <= row.log_offset:
            places[row.event_ms] = row
    return {(row.event_ms, row.digest, row.log_offset) for row in places.values() if not row.gone}


_BACK_AND_FORTH = [(1, CORRECTION, {"event_time": NOW_MS - 3}), (2, CORRECTION, {"event_time": NOW_MS - 1})]


@given(st.lists(_revision, max_size=6), st.integers(0, 6), st.integers(0, 7))
@example(_BACK_AND_FORTH, 0, 1)
@example(_BACK_AND_FORTH, 0, 2)
@example(_BACK_AND_FORTH, 2, 3)
def test_two_first_reports_under_one_id_stand_where_they_happened(
    revisions: list[tuple[int, Any, dict[str, Any]]], first_at: int, other_at: int
) -> None:
    """Each step writes what the history writer writes: a first report as it is, unless revisions wait for it."""
    reports = arrived(revisions, first_at)
    reports[min(first_at, len(revisions))] = first_report(entry(ms=NOW_MS - 5))
    reports.insert(min(other_at, len(reports)), first_report(entry(ms=NOW_MS - 3, gate_id="g9")))
    for offset, report in enumerate(reports, 1):
        report.log_offset = offset
    written: list[record_pb2.LoggedRecord] = []
    firsts = revised = 0
    for count, report in enumerate(reports, 1):
        plain = not report.revision and (firsts or not revised)
        written += [report] if plain else state.current_rows(reports[:count])
        firsts, revised = firsts + (not report.revision), revised + (report.revision > 0)

    facts, void, _ = expected(reports)
    (other,) = [report for report in reports if not report.revision][1:]
    # A place has one row: where the record itself is, the other first report is not, unless it comes as the last one.
    together = facts["event_time_ms"] == other.event_ms
    assume(not together or any(report.revision for report in reports[other.log_offset :]))
    mine = [] if void else [(facts["event_time_ms"], digest_of(Facts(**facts)))]
    others = [] if together else [(other.event_ms, other.digest)]
    assert sorted((ms, digest) for ms, digest, _ in kept(written)) == sorted(mine + others)
    assert kept(written) == kept(state.current_rows(reports)), "made anew the rows are the same"


def test_without_a_first_report_there_is_no_state() -> None:
    assert state.fold([]) is None
    assert state.fold([revision_of(1, VOID)]) is None


def test_another_first_report_under_the_id_keeps_its_place() -> None:
    first, other = first_report(entry(ms=NOW_MS)), first_report(entry(ms=NOW_MS - 1))
    moved = revision_of(1, CORRECTION, event_time=NOW_MS - 2)
    first.log_offset, other.log_offset, moved.log_offset = 1, 2, 3
    found = state.fold([first, other, moved])
    assert found is not None
    assert found.places == {NOW_MS, NOW_MS - 2}
    assert {(row.event_ms, row.gone) for row in found.rows()} == {(NOW_MS, True), (NOW_MS - 2, False)}


def test_a_corrected_plate_brings_its_pseudonym_and_its_mask() -> None:
    first, corrected = first_report(entry()), revision_of(1, CORRECTION, plate_number="闽B54321")
    first.plate_key, corrected.plate_key = b"before", b"after"
    corrected.plate_masked, corrected.plate_normal = "闽B·5**21", "闽B54321"
    found = state.fold([first, corrected])
    assert found is not None
    record = found.record
    assert (record.plate_key, record.plate_masked, record.plate_normal) == (b"after", "闽B·5**21", "闽B54321")
