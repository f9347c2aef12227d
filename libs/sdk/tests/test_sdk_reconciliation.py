"""Reconciliation finds exactly what differs, in few round trips, and makes it agree as the policy lets it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.revision_pb2 import RecordRevision
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh_sdk import PlatformError, Protocol
from parkmesh_sdk.reconciliation import MemoryBooks, Policy, Reconciliation, Step, Winner, compare_days, reconcile
from parkmesh_sdk.reconciliation.comparison import Bucket, windows
from parkmesh_sdk.reconciliation.testing import MemoryPlatform
from parkmesh_sdk.testing import Bench, StandIn, serving
from vocabulary import beijing
from vocabulary.record import facts_of

DAY = "2100-01-01"
BOUNDS = beijing.day_bounds_of(DAY)
NOW_MS = BOUNDS.end_ms + 5
MISSING = books_pb2.DIFFERENCE_KIND_MISSING
EXTRA = books_pb2.DIFFERENCE_KIND_EXTRA
DIFFERENT = books_pb2.DIFFERENCE_KIND_DIFFERENT
VOIDED_HERE = books_pb2.DIFFERENCE_KIND_VOIDED_HERE
REFUSED = books_pb2.DIFFERENCE_KIND_REFUSED
EDIT_MS = 90 * beijing.MINUTE_MS + 7


def record(record_id: str, event_ms: int, plate: str = "闽B12345") -> record_pb2.AccessRecord:
    made = record_pb2.AccessRecord(
        record_id=record_id,
        lot_id="lot_1",
        direction=record_pb2.DIRECTION_ENTRY,
        plate_number=plate,
        plate_colour=record_pb2.PLATE_COLOUR_BLUE,
        vehicle_class=record_pb2.VEHICLE_CLASS_SMALL,
        gate_id="1",
        lane_id="1",
    )
    made.event_time.FromMilliseconds(event_ms)
    return made


def day(count: int, spread_ms: int = beijing.DAY_MS) -> list[record_pb2.AccessRecord]:
    """So many records, spread evenly over the day or its beginning."""
    return [record(f"r-{place:05}", BOUNDS.start_ms + place * spread_ms // count) for place in range(count)]


@dataclass
class Pair:
    """Two books of one lot, first equal."""

    books: MemoryBooks
    platform: MemoryPlatform
    waits: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, records: list[record_pb2.AccessRecord]) -> "Pair":
        platform = MemoryPlatform(log=list(records))
        platform.drain()
        return cls(MemoryBooks(records), platform)

    def report(self, *reported: Message) -> None:
        """The platform takes something that the books do not have."""
        self.platform.log.extend(reported)  # type: ignore[arg-type]
        self.platform.drain()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.platform.drain()

    async def run(self, day: str = DAY, **policy: object) -> Reconciliation:
        made = Policy(**policy)  # type: ignore[arg-type]
        return await reconcile(self.platform, "lot_1", day, self.books, made, sleep=self.sleep, now_ms=lambda: NOW_MS)

    async def agree(self) -> bool:
        """Whether both hold the same records, void or not, word for word."""
        state = self.platform.state()
        held = await self.books.held(state.keys() | self.books._held.keys())
        mine = {name: (facts_of(each.record), each.voided) for name, each in held.items()}
        theirs = {name: (facts_of(each.record), each.voided) for name, each in state.items()}
        holding = {name for name, (_, voided) in (mine | theirs).items() if not voided}
        return {name: mine.get(name) for name in holding} == {name: theirs.get(name) for name in holding}


def void(record_id: str, revision: int = 1) -> RecordRevision:
    return RecordRevision(
        lot_id="lot_1", record_id=record_id, revision=revision, kind=record_pb2.REVISION_KIND_VOID, author="somebody"
    )


async def test_an_equal_day_takes_one_round_trip() -> None:
    pair = Pair.of(day(3000))
    result = await pair.run()
    assert (result.equal, result.complete, result.rounds, result.calls) == (True, True, 1, 1)
    assert result.vendor.count == 3000
    assert result.differences == ()
    assert result.bytes_sent < 100
    assert pair.waits == []


async def test_an_empty_day_is_equal() -> None:
    result = await Pair.of([]).run()
    assert (result.equal, result.vendor.count, result.calls) == (True, 0, 1)


@pytest.mark.parametrize(
    ("count", "spread_ms", "calls"),
    [
        # A day of few records needs no hours, an hour of few no minutes.
        (80, beijing.DAY_MS, 2),
        (1200, beijing.DAY_MS, 3),
        (2640, beijing.DAY_MS, 4),
        # More than a thousand records in the minute that differs.
        (2500, beijing.MINUTE_MS, 6),
    ],
)
async def test_one_difference_is_found_in_few_round_trips(count: int, spread_ms: int, calls: int) -> None:
    pair = Pair.of(day(count, spread_ms))
    pair.books.erase("r-00042")
    result = await pair.run(repair=False)
    assert [(each.record_id, each.kind) for each in result.differences] == [("r-00042", EXTRA)]
    assert result.calls == calls
    asked = [each.position for each in pair.platform.requests]  # type: ignore[attr-defined]
    assert asked == ["", *[str(count)] * (calls - 1)]
    assert result.bytes_sent + result.bytes_received < 50 * max(count, 100)


async def test_a_record_is_named_whatever_becomes_of_it() -> None:
    pair = Pair.of(day(1200))
    pair.platform.log.remove(next(each for each in pair.platform.log if each.record_id == "r-00700"))
    pair.platform.drain()
    pair.books.erase("r-00010")
    pair.books.write(record("r-00300", BOUNDS.start_ms, "闽B54321"))
    pair.report(void("r-01100"))
    result = await pair.run(repair=False)
    assert {each.record_id: each.kind for each in result.differences} == {
        "r-00010": EXTRA,
        "r-00300": DIFFERENT,
        "r-00700": MISSING,
        "r-01100": VOIDED_HERE,
    }
    assert not any(each.repaired for each in result.differences)
    assert result.left == result.differences
    assert not isinstance(pair.platform.requests[-1], access.UploadRecordsRequest)


async def test_what_the_platform_lacks_is_sent_again_and_marked() -> None:
    pair = Pair.of(day(300))
    late = record("late", BOUNDS.start_ms + EDIT_MS)
    pair.books.write(late)
    result = await pair.run()
    assert result.equal
    assert [(each.record_id, each.step, each.repaired) for each in result.differences] == [("late", Step.RESEND, True)]
    assert pair.platform.state()["late"].record.resend
    assert not late.resend


async def test_what_the_vendor_lacks_is_taken_over() -> None:
    pair = Pair.of(day(300))
    pair.report(record("other", BOUNDS.start_ms + EDIT_MS))
    result = await pair.run()
    assert result.equal
    assert [(each.record_id, each.step) for each in result.differences] == [("other", Step.TAKE)]
    assert await pair.agree()
    assert pair.waits == []


@pytest.mark.parametrize("winner", [Winner.PLATFORM, Winner.LOT])
async def test_where_both_differ_the_winners_record_holds(winner: Winner) -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("r-00100", BOUNDS.start_ms + EDIT_MS, "闽B54321"))
    result = await pair.run(winner=winner, author="night audit")
    assert result.equal
    assert await pair.agree()
    (held,) = (await pair.books.held(["r-00100"])).values()
    (found,) = result.differences
    if winner is Winner.LOT:
        assert found.step is Step.CORRECT
        assert held.record.plate_number == "闽B54321"
        revision = pair.platform.log[-1]
        assert revision.author == "night audit"  # type: ignore[union-attr]
        assert revision.reason == record_pb2.REVISION_REASON_RECONCILED  # type: ignore[union-attr]
        assert revision.made_time.ToMilliseconds() == NOW_MS  # type: ignore[union-attr]
        assert set(revision.update_mask.paths) == {  # type: ignore[union-attr]
            *("event_time", "plate_number", "plate_colour", "plate_kind", "plate_state"),
        }
    else:
        assert found.step is Step.TAKE
        assert held.record.plate_number == "闽B12345"
        assert len(pair.platform.log) == 300


async def test_without_a_winner_people_decide() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("r-00100", BOUNDS.start_ms + EDIT_MS, "闽B54321"))
    pair.books.write(record("late", BOUNDS.start_ms))
    result = await pair.run()
    assert not result.equal
    assert [(each.record_id, each.step) for each in result.left] == [("r-00100", Step.NONE)]
    assert result.rounds == 2
    assert "late" in pair.platform.state()


@pytest.mark.parametrize(
    ("winner", "step", "voided"), [(Winner.PLATFORM, Step.TAKE, True), (Winner.LOT, Step.REINSTATE, False)]
)
async def test_a_void_of_the_platform_is_taken_over_or_ended(winner: Winner, step: Step, voided: bool) -> None:
    pair = Pair.of(day(300))
    pair.report(void("r-00100"))
    result = await pair.run(winner=winner)
    assert result.equal
    assert [(each.kind, each.step) for each in result.differences] == [(VOIDED_HERE, step)]
    assert (await pair.books.held(["r-00100"]))["r-00100"].voided is voided
    assert pair.platform.state()["r-00100"].voided is voided


@pytest.mark.parametrize(
    ("winner", "step", "voided"), [(Winner.PLATFORM, Step.TAKE, False), (Winner.LOT, Step.VOID, True)]
)
async def test_a_void_of_the_lot_is_sent_or_ended(winner: Winner, step: Step, voided: bool) -> None:
    pair = Pair.of(day(300))
    (held,) = (await pair.books.held(["r-00100"])).values()
    pair.books.write(held.record, voided=True)
    result = await pair.run(winner=winner)
    assert result.equal
    assert [(each.kind, each.step) for each in result.differences] == [(EXTRA, step)]
    assert (await pair.books.held(["r-00100"]))["r-00100"].voided is voided
    assert pair.platform.state()["r-00100"].voided is voided


@pytest.mark.parametrize("winner", [Winner.PLATFORM, Winner.LOT])
@pytest.mark.parametrize(
    ("moved_ms", "kind"),
    [
        (EDIT_MS, DIFFERENT),
        (beijing.DAY_MS - EDIT_MS, DIFFERENT),
        # Where the vendor has it is not compared that day.
        (beijing.DAY_MS, EXTRA),
    ],
)
async def test_a_time_that_differs_is_one_difference(
    winner: Winner, moved_ms: int, kind: books_pb2.DifferenceKind.ValueType
) -> None:
    pair = Pair.of(day(2640))
    other_ms = BOUNDS.start_ms + moved_ms
    pair.books.write(record("r-02000", other_ms))
    result = await pair.run(winner=winner)
    assert result.equal
    assert [(each.record_id, each.kind, each.repaired) for each in result.differences] == [("r-02000", kind, True)]
    assert await pair.agree()
    assert (pair.platform.state()["r-02000"].event_ms == other_ms) is (winner is Winner.LOT)
    assert (await pair.run("2100-01-02")).equal


async def test_what_was_refused_is_told_and_left() -> None:
    pair = Pair.of(day(300))
    pair.platform.rejects["bad"] = reasons.ERROR_REASON_PLATE_MALFORMED
    pair.books.write(record("bad", BOUNDS.start_ms))
    first = await pair.run(winner=Winner.LOT)
    assert not first.equal
    assert [(each.kind, each.refused, each.field) for each in first.left] == [
        (MISSING, "PLATE_MALFORMED", "plateNumber")
    ]
    uploads = [each for each in pair.platform.requests if isinstance(each, access.UploadRecordsRequest)]
    assert len(uploads) == 1
    again = await pair.run(winner=Winner.LOT)
    assert [(each.kind, each.refused, each.field) for each in again.left] == [
        (REFUSED, "PLATE_MALFORMED", "plateNumber")
    ]
    assert again.rounds == 1


async def test_what_is_put_off_is_sent_until_it_is_taken() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("late", BOUNDS.start_ms))
    pair.platform.puts_off = 3
    result = await pair.run()
    assert result.equal
    assert pair.waits == [0.25, 0.5, 1.0]


async def test_a_platform_that_never_shows_it_is_not_asked_for_ever() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("late", BOUNDS.start_ms))
    pair.platform.puts_off = 1000
    result = await pair.run(rounds=7)
    assert (result.equal, result.rounds) == (False, 7)
    assert [each.record_id for each in result.left] == ["late"]
    assert pair.waits == [0.25, 0.5, 1.0, 2.0, 4.0]


async def test_what_is_on_its_way_is_waited_for() -> None:
    pair = Pair.of(day(300))
    late = record("late", BOUNDS.start_ms)
    pair.platform.lags = True
    pair.platform.log.append(late)
    pair.books.write(late)
    told = await pair.run(repair=False)
    assert (told.equal, told.differences, told.pending) == (False, (), ("late",))
    waited = await pair.run(close=True)
    assert (waited.equal, waited.differences, waited.pending) == (True, (), ())
    assert pair.waits == [0.25]
    assert waited.report is not None


async def test_what_does_not_arrive_soon_is_left_for_another_time() -> None:
    pair = Pair.of(day(300))
    late = record("late", BOUNDS.start_ms)
    pair.platform.lags = True
    pair.platform.log.append(late)
    pair.books.write(late)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    pair.sleep = sleep  # type: ignore[method-assign]
    result = await pair.run(close=True)
    assert (result.equal, result.pending, result.report) == (False, ("late",), None)
    assert waits == [0.25, 0.5, 1.0]


async def test_a_difference_that_no_record_explains_is_not_hidden() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("r-00100", BOUNDS.start_ms + EDIT_MS))
    pair.platform._kind = lambda *_: 0  # type: ignore[assignment, method-assign]
    result = await pair.run(close=True)
    assert (result.equal, result.differences, result.rounds, result.report) == (False, (), 1, None)


async def test_a_revision_whose_number_is_taken_gets_the_next() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("r-00100", BOUNDS.start_ms, "闽B54321"))
    written = pair.platform._revise
    raced: list[bool] = []

    def revise(request: access.UploadRevisionsRequest) -> access.UploadRecordsResponse:
        if not raced:
            raced.append(True)
            pair.platform.log.append(void("r-00100"))
        return written(request)

    pair.platform._revise = revise  # type: ignore[method-assign]
    result = await pair.run(winner=Winner.LOT)
    assert result.equal
    assert [each.revision for each in pair.platform.log[300:]] == [1, 2, 3]  # type: ignore[union-attr]
    assert await pair.agree()


async def test_a_day_that_is_not_over_is_compared_as_far_as_it_is_settled() -> None:
    pair = Pair.of(day(2400))
    pair.platform.settled_ms = BOUNDS.start_ms + 12 * beijing.HOUR_MS
    pair.books.erase("r-00100")
    pair.books.write(record("late", BOUNDS.start_ms + 13 * beijing.HOUR_MS))
    result = await pair.run(close=True)
    assert (result.equal, result.complete, result.settled_ms) == (True, False, pair.platform.settled_ms)
    assert [each.record_id for each in result.differences] == ["r-00100"]
    assert (result.report, pair.platform.reports) == (None, [])
    pair.platform.settled_ms = BOUNDS.start_ms
    nothing = await pair.run()
    assert (nothing.equal, nothing.complete) == (True, False)


async def test_a_day_is_closed_when_the_books_agree() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("late", BOUNDS.start_ms))
    result = await pair.run(close=True, author="night audit")
    assert result.report is not None
    assert result.report.closed
    (request,) = pair.platform.reports
    assert (request.author, request.vendor.count, request.accept_differences) == ("night audit", 301, False)


async def test_a_day_is_closed_with_differences_for_a_reason_only() -> None:
    pair = Pair.of(day(300))
    pair.books.write(record("r-00100", BOUNDS.start_ms, "闽B54321"))
    assert (await pair.run(close=True)).report is None
    assert pair.platform.reports == []
    accepted = await pair.run(close=True, accept_reason="a camera was broken")
    assert accepted.report is not None
    assert not accepted.equal
    (request,) = pair.platform.reports
    assert (request.accept_differences, request.reason) == (True, "a camera was broken")


async def test_a_refused_call_ends_it() -> None:
    pair = Pair.of(day(300))
    pair.platform.settled_ms = BOUNDS.start_ms
    with pytest.raises(PlatformError, match="DAY_NOT_SETTLED"):
        await pair.run(close=True, accept_reason="in a hurry")
    with pytest.raises(ValueError, match="date"):
        await pair.run("tomorrow")


_edits = st.lists(
    st.tuples(
        st.sampled_from(["erase", "lose", "plate", "move", "void here", "void there", "add", "extra"]),
        st.integers(0, 59),
        st.integers(0, beijing.DAY_MS - 1),
    ),
    max_size=12,
    unique_by=lambda edit: edit[1],
)


@given(_edits, st.sampled_from([Winner.PLATFORM, Winner.LOT]), st.sampled_from([60, 500]), st.sampled_from([7, 1000]))
@settings(max_examples=40, deadline=None)
async def test_whatever_is_damaged_is_found_and_made_good(
    edits: list[tuple[str, int, int]], winner: Winner, count: int, page: int
) -> None:
    records = {each.record_id: each for each in day(count)}
    pair = Pair.of(list(records.values()))
    pair.platform.page = page
    for edit, place, at_ms in edits:
        record_id, event_ms = f"r-{place:05}", BOUNDS.start_ms + at_ms
        match edit:
            case "erase":
                pair.books.erase(record_id)
            case "lose":
                pair.platform.log.remove(records[record_id])
            case "plate":
                pair.books.write(record(record_id, records[record_id].event_time.ToMilliseconds(), "闽B54321"))
            case "move":
                pair.books.write(record(record_id, event_ms, "闽B54321"))
            case "void here":
                pair.books.write(records[record_id], voided=True)
            case "void there":
                pair.platform.log.append(void(record_id))
            case "add":
                pair.books.write(record(f"new-{place}", event_ms))
            case "extra":
                pair.platform.log.append(record(f"new-{place}", event_ms))
    pair.platform.drain()
    damaged = {f"new-{place}" if edit in ("add", "extra") else f"r-{place:05}" for edit, place, _ in edits}
    found = await pair.run(repair=False)
    assert {each.record_id for each in found.differences} == damaged
    assert found.equal == (not damaged)
    repaired = await pair.run(winner=winner)
    assert repaired.equal
    assert {each.record_id for each in repaired.differences} == damaged
    assert await pair.agree()


async def test_many_days_take_one_round_trip() -> None:
    pair = Pair.of([record(f"r-{place}", BOUNDS.start_ms + place * beijing.HOUR_MS) for place in range(96)])
    pair.books.write(record("late", BOUNDS.end_ms))
    pair.platform.settled_ms = BOUNDS.end_ms + 2 * beijing.DAY_MS
    days = await compare_days(pair.platform, "lot_1", DAY, "2100-01-04", pair.books)
    assert [(each.date, each.vendor.count, each.agree) for each in days] == [
        ("2100-01-01", 24, True),
        ("2100-01-02", 25, False),
        ("2100-01-03", 24, True),
        ("2100-01-04", 24, False),
    ]
    assert len(pair.platform.requests) == 1


def test_windows_hold_what_differs_and_little_else() -> None:
    def parts(*shape: tuple[int, bool]) -> list[Bucket]:
        return [Bucket(place, place + 1, own, differs, own) for place, (own, differs) in enumerate(shape, 1)]

    assert list(windows(parts((5, False), (9, False)))) == []
    assert list(windows(parts((5, False), (5, True), (60, False), (5, True), (9, False)))) == [(2, 5)]
    assert list(windows(parts((5, True), (60, False), (60, False), (5, True)))) == [(1, 2), (4, 5)]
    assert list(windows(parts((600, True), (500, True), (400, True)))) == [(1, 2), (2, 4)]


@pytest.mark.parametrize("protocol", list(Protocol))
async def test_it_works_over_both_transports(protocol: Protocol, certificate: tuple[Path, Path]) -> None:
    pair = Pair.of(day(2640))
    pair.books.erase("r-00010")
    pair.books.write(record("r-00300", BOUNDS.start_ms + EDIT_MS, "闽B54321"))
    pair.books.write(record("late", BOUNDS.start_ms + 20 * beijing.HOUR_MS))
    pair.report(void("r-02100"))
    stand_in = StandIn(answers=dict(pair.platform.answers))
    async with serving(stand_in, protocol, *certificate), Bench(stand_in, protocol).client() as client:
        result = await reconcile(
            client,
            "lot_1",
            DAY,
            pair.books,
            Policy(winner=Winner.LOT, close=True, author="对账程序"),
            sleep=pair.sleep,
            now_ms=lambda: NOW_MS,
        )
    assert result.equal
    assert {each.record_id: each.step for each in result.differences} == {
        "late": Step.RESEND,
        "r-00010": Step.TAKE,
        "r-00300": Step.CORRECT,
        "r-02100": Step.REINSTATE,
    }
    assert result.report is not None
    assert pair.platform.reports[0].author == "对账程序"
    assert await pair.agree()
