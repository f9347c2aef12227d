"""Reconciliation over real engines: every seeded difference is found, and what is repaired agrees."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import grpc
import pytest
from access_records.reconciliation.signing import Signed, proves
from access_records.testing import (
    COLLECTOR,
    DEVICE,
    FOREIGN_LOT,
    LOT,
    NOW_MS,
    OPERATOR,
    OTHER_LOT,
    Platform,
    composed_alone,
    entry,
)
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as records
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint
from vocabulary.record import digest_of, facts_of

KIND = messages.DifferenceKind
_days = itertools.count(40)
_ids = itertools.count()


def fresh_day() -> Bounds:
    """A day that no other test uses, long settled."""
    return beijing.day_bounds(NOW_MS - next(_days) * beijing.DAY_MS)


@dataclass
class Books:
    """The books of a lot by a vendor's own system, and how such a system reconciles them over plain calls."""

    access: Platform
    lot_id: str = LOT
    held: dict[str, record_pb2.AccessRecord] = field(default_factory=dict)
    position: str = ""
    trips: int = 0

    def __post_init__(self) -> None:
        self.records = self.access.stub()
        self.books = self.access.reconciliation()

    def add(self, count: int, day: Bounds, prefix: str = "k") -> list[str]:
        """New records, spread over the day."""
        made = []
        for _ in range(count):
            number = next(_ids)
            ms = day.start_ms + number * 7_919_003 % beijing.DAY_MS
            way = {"direction": record_pb2.DIRECTION_EXIT, "lane_id": "out"} if number % 2 else {}
            record = entry(f"{prefix}-{number:06}", ms=ms, lot_id=self.lot_id, visit_id=f"v-{number}", **way)
            self.held[record.record_id] = record
            made.append(record.record_id)
        return made

    async def upload(self, ids: Iterable[str]) -> records.UploadRecordsResponse:
        answer = records.UploadRecordsResponse()
        every = [self.held[one] for one in ids]
        for start in range(0, len(every), 1000):
            request = records.UploadRecordsRequest(records=every[start : start + 1000])
            answer = await self.records.UploadRecords(request)
        return answer

    async def revise(self, *revisions: revision_pb2.RecordRevision, caller: Caller | None = None) -> None:
        for start in range(0, len(revisions), 1000):
            request = records.UploadRevisionsRequest(revisions=revisions[start : start + 1000])
            answer = await (self.access.stub(caller) if caller else self.records).UploadRevisions(request)
            assert answer.all_stored, answer

    def revision(
        self, record_id: str, number: int, kind: "record_pb2.RevisionKind.ValueType"
    ) -> revision_pb2.RecordRevision:
        made = revision_pb2.RecordRevision(
            lot_id=self.lot_id,
            record_id=record_id,
            revision=number,
            kind=kind,
            reason=record_pb2.REVISION_REASON_RECONCILED,
            author="对账程序",
        )
        made.made_time.FromMilliseconds(NOW_MS - 2 * beijing.HOUR_MS)
        return made

    def correction(self, record_id: str, number: int) -> revision_pb2.RecordRevision:
        """Makes the platform's record what these books hold."""
        made = self.revision(record_id, number, record_pb2.REVISION_KIND_CORRECTION)
        mine = self.held[record_id]
        made.changes.event_time.CopyFrom(mine.event_time)
        for name in ("plate_number", "plate_colour", "vehicle_class"):
            setattr(made.changes, name, getattr(mine, name))
        made.update_mask.CopyFrom(
            FieldMask(
                paths=["event_time", "plate_number", "plate_colour", "plate_kind", "plate_state", "vehicle_class"]
            )
        )
        return made

    def inside(self, window: Bounds) -> dict[str, bytes]:
        return {
            one.record_id: digest_of(facts_of(one))
            for one in self.held.values()
            if window.start_ms <= one.event_time.ToMilliseconds() < window.end_ms
        }

    def fingerprint(self, window: Bounds) -> Fingerprint:
        return Fingerprint.of(self.inside(window).values())

    async def digests(
        self, begin_ms: int, step: "messages.Step.ValueType", length_ms: int, count: int
    ) -> messages.CompareDigestsResponse:
        buckets = [Bounds(begin_ms + i * length_ms, begin_ms + (i + 1) * length_ms) for i in range(count)]
        mine = [self.fingerprint(bucket) for bucket in buckets]
        request = messages.CompareDigestsRequest(
            lot_id=self.lot_id,
            step=step,
            counts=[one.count for one in mine],
            digest_sums=[one.digest_sum for one in mine],
            position=self.position,
        )
        request.start_time.FromMilliseconds(begin_ms)
        self.trips += 1
        answer = await self.books.CompareDigests(request)
        self.position = answer.position
        return answer

    async def compare(self, window: Bounds, size: int = 1000) -> list[messages.RecordDifference]:
        """The differences of a window, asked `size` records at a time."""
        mine = sorted(self.inside(window).items())
        found: list[messages.RecordDifference] = []
        after = ""
        while True:
            rest = [one for one in mine if one[0] > after]
            request = messages.CompareRecordsRequest(
                lot_id=self.lot_id,
                records=[messages.RecordDigest(record_id=i, digest=d) for i, d in rest[:size]],
                more_follow=len(rest) > size,
                after_record_id=after,
                position=self.position,
            )
            request.start_time.FromMilliseconds(window.start_ms)
            request.end_time.FromMilliseconds(window.end_ms)
            self.trips += 1
            answer = await self.books.CompareRecords(request)
            self.position = answer.position
            found += answer.differences
            after = answer.next_record_id
            if not after:
                return found

    async def ladder(self, days: list[Bounds]) -> dict[str, list[messages.RecordDifference]]:
        """All differences of some days, by record: what two windows say of one record stands together."""
        self.position = ""
        found: dict[str, list[messages.RecordDifference]] = {}
        for day in days:
            answer = await self.digests(day.start_ms, messages.STEP_DAY, beijing.DAY_MS, 1)
            if answer.equal:
                continue
            hours = await self.digests(day.start_ms, messages.STEP_HOUR, beijing.HOUR_MS, 24)
            assert not hours.equal
            begins = [bucket.start_time.ToMilliseconds() for bucket in hours.differing]
            # One window over all of them: a thousand records go into one question, however many hours they fill.
            for one in await self.compare(Bounds(begins[0], begins[-1] + beijing.HOUR_MS)):
                found.setdefault(one.record_id, []).append(one)
        return found

    async def close(self, day: Bounds, *, vendor: Fingerprint | None = None, **facts: object) -> messages.DayReport:
        mine = vendor or self.fingerprint(day)
        request = messages.CloseDayRequest(
            lot_id=self.lot_id,
            date=beijing.day_key(day.start_ms),
            vendor=messages.Fingerprint(count=mine.count, digest_sum=mine.digest_sum),
            **{"author": "夜班"} | facts,  # type: ignore[arg-type]
        )
        return await self.books.CloseDay(request)

    async def report(self, day: Bounds) -> messages.DayReport:
        request = messages.GetReportRequest(lot_id=self.lot_id, date=beijing.day_key(day.start_ms))
        return await self.books.GetReport(request)


async def refusal(call: object) -> tuple[str, str]:
    """The reason of a refusal, and what it says."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    trailer = str(caught.value.trailing_metadata())
    names = [name.removeprefix("ERROR_REASON_") for name in reasons.ErrorReason.DESCRIPTOR.values_by_name]
    return next(name for name in sorted(names, key=len, reverse=True) if name in trailer), caught.value.details() or ""


@pytest.fixture(scope="module")
async def access(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """An own one: all records of a lot are compared."""
    async with composed_alone(tmp_path_factory.mktemp("reconciliation")) as platform:
        yield platform


@pytest.fixture(scope="module")
async def seeded(access: Platform) -> tuple[Books, list[Bounds], dict[str, str]]:
    """Books of three days in which the two sides differ in every way, thousands of times; what was done to whom."""
    chance = random.Random(7)
    books = Books(access)
    days = [fresh_day() for _ in range(3)]
    for day in days:
        books.add(1200, day)
    every = sorted(books.held)
    chance.shuffle(every)
    shares = iter(every)
    names = ("dropped", "doubled", "altered", "moved", "voided there", "voided here", "corrected here", "refused")
    done = {record_id: name for name in names for record_id in itertools.islice(shares, 260)}
    for record_id, name in done.items():
        if name == "refused":
            books.held[record_id].gate_id = ""
    await books.upload(one for one in every if done.get(one) != "dropped")
    ghosts = Books(access)
    by_operator: list[revision_pb2.RecordRevision] = []
    for record_id, name in list(done.items()):
        mine = books.held[record_id]
        if name == "doubled":
            twin = record_pb2.AccessRecord()
            twin.CopyFrom(mine)
            twin.record_id = f"{record_id}-again"
            ghosts.held[twin.record_id] = twin
            done[twin.record_id] = done.pop(record_id)
        elif name == "altered":
            mine.plate_number = f"闽B1234{int(mine.plate_number[-1]) - 4}"
        elif name == "moved":
            mine.event_time.FromMilliseconds(mine.event_time.ToMilliseconds() + beijing.HOUR_MS)
        elif name == "voided there":
            del books.held[record_id]
        elif name == "voided here":
            by_operator.append(books.revision(record_id, 1, record_pb2.REVISION_KIND_VOID))
        elif name == "corrected here":
            change = books.revision(record_id, 1, record_pb2.REVISION_KIND_CORRECTION)
            change.changes.vehicle_class = record_pb2.VEHICLE_CLASS_LARGE
            by_operator.append(change)
    await ghosts.upload(ghosts.held)
    # An hour ago: what is newer than the settled mark is only expected.
    access.clock.advance(-beijing.HOUR_MS)
    await books.revise(*by_operator, caller=OPERATOR)
    access.clock.advance(beijing.HOUR_MS)
    return books, days, done


async def test_every_seeded_difference_is_found_and_after_repair_the_books_agree(
    seeded: tuple[Books, list[Bounds], dict[str, str]], access: Platform
) -> None:
    books, days, done = seeded
    # A record that was moved out of the last of the days.
    days = sorted(days)
    span = [*days, beijing.day_bounds(days[-1].end_ms)]
    found = await books.ladder(span)
    assert set(found) == set(done)
    expected = {
        "dropped": {KIND.DIFFERENCE_KIND_MISSING},
        "doubled": {KIND.DIFFERENCE_KIND_EXTRA},
        "altered": {KIND.DIFFERENCE_KIND_DIFFERENT},
        "moved": {KIND.DIFFERENCE_KIND_DIFFERENT},
        "voided there": {KIND.DIFFERENCE_KIND_EXTRA},
        "voided here": {KIND.DIFFERENCE_KIND_VOIDED_HERE},
        "corrected here": {KIND.DIFFERENCE_KIND_DIFFERENT},
        "refused": {KIND.DIFFERENCE_KIND_REFUSED},
    }
    for record_id, name in done.items():
        if name == "moved" and len(found[record_id]) > 1:
            # Moved over midnight: one difference, told where the vendor has it and where the platform has it.
            found[record_id].remove(next(one for one in found[record_id] if one.kind == KIND.DIFFERENCE_KIND_EXTRA))
        assert {one.kind for one in found[record_id]} == expected[name], (name, found[record_id])

    mine: list[revision_pb2.RecordRevision] = []
    resent: list[str] = []
    pulled: list[str] = []
    told: dict[str, list[tuple[str, ...]]] = {"moved": [], "altered": []}
    for record_id, ones in found.items():
        one = next((each for each in ones if each.kind != KIND.DIFFERENCE_KIND_EXTRA), ones[0])
        name = done[record_id]
        if one.action == messages.DIFFERENCE_ACTION_RESEND:
            resent.append(record_id)
        elif one.action == messages.DIFFERENCE_ACTION_FIX:
            assert one.reason == reasons.ERROR_REASON_FIELDS_CONTRADICT
            assert one.refused_field == "gateId"
            books.held[record_id].gate_id = "g1"
            resent.append(record_id)
        elif one.action == messages.DIFFERENCE_ACTION_PULL and name == "doubled":
            mine.append(books.revision(record_id, one.revision + 1, record_pb2.REVISION_KIND_VOID))
        elif one.action == messages.DIFFERENCE_ACTION_PULL:
            pulled.append(record_id)
        elif one.action == messages.DIFFERENCE_ACTION_VOID:
            del books.held[record_id]
        elif name == "corrected here":
            assert one.fields == ["vehicleClass"]
            books.held[record_id].vehicle_class = record_pb2.VEHICLE_CLASS_LARGE
        else:
            assert one.action == messages.DIFFERENCE_ACTION_CORRECT
            # Two hundred are searched for in one answer.
            told[name].append(tuple(one.fields))
            mine.append(books.correction(record_id, one.revision + 1))
    assert (set(told["moved"]), set(told["altered"])) == ({("eventTime",)}, {()})
    taken = await books.records.BatchGetRecords(records.BatchGetRecordsRequest(lot_id=LOT, record_ids=pulled))
    assert [stored.record.record_id for stored in taken.records] == pulled
    for stored in taken.records:
        books.held[stored.record.record_id] = stored.record
    assert (await books.upload(resent)).all_stored
    await books.revise(*mine)
    assert await books.ladder(span) == {}


async def test_counts_miss_what_digests_find(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    ids = books.add(60, day)
    await books.upload(ids)
    dropped, altered = ids[0], ids[2]
    # One record that never came, for one that came twice under another id; and a wrong plate.
    twin = record_pb2.AccessRecord()
    twin.CopyFrom(books.held[dropped])
    twin.record_id = f"{dropped}-other"
    books.held[twin.record_id] = twin
    del books.held[dropped]
    books.held[altered].plate_number = "闽B12346"
    counts = [
        messages.DirectionCounts(
            direction=direction,
            records=30,
            with_plate=30,
            manual_releases=0,
            classes=[messages.ClassCount(vehicle_class=record_pb2.VEHICLE_CLASS_SMALL, records=30)],
        )
        for direction in (record_pb2.DIRECTION_ENTRY, record_pb2.DIRECTION_EXIT)
    ]
    request = messages.CompareCountsRequest(lot_id=LOT, date=beijing.day_key(day.start_ms), directions=counts)
    answer = await access.reconciliation().CompareCounts(request)
    assert answer.equal
    assert list(answer.directions) == counts
    found = await books.ladder([day])
    assert set(found) == {dropped, twin.record_id, altered}

    request.directions[0].records = 29
    request.directions[0].classes[0].records = 29
    assert not (await access.reconciliation().CompareCounts(request)).equal


async def test_a_run_is_judged_as_of_its_position(access: Platform) -> None:
    books = Books(access)
    day, other = fresh_day(), fresh_day()
    ids = books.add(50, day)
    await books.upload(ids)
    assert await books.ladder([day]) == {}
    then, position = dict(books.held), books.position

    added = books.add(3, day)
    await books.upload(added)
    void = books.revision(ids[0], 1, record_pb2.REVISION_KIND_VOID)
    move = books.revision(ids[1], 1, record_pb2.REVISION_KIND_CORRECTION)
    move.changes.event_time.FromMilliseconds(other.start_ms + 1)
    within = books.revision(ids[2], 1, record_pb2.REVISION_KIND_CORRECTION)
    within.changes.event_time.FromMilliseconds(day.start_ms + 1)
    await books.revise(void, move, within)

    books.position = ""
    now = await books.compare(day)
    assert {one.record_id for one in now} == {ids[0], ids[1], ids[2]}
    before = Books(access, held=then, position=position)
    assert (await before.digests(day.start_ms, messages.STEP_MINUTE, beijing.MINUTE_MS, 1440)).equal
    assert await before.compare(day) == []
    assert (await before.digests(other.start_ms, messages.STEP_DAY, beijing.DAY_MS, 1)).equal
    # And a position that nobody was given is refused.
    forged = Books(access, held=then, position=position[:-2] + "AA")
    reason, _ = await refusal(forged.compare(day))
    assert reason == "INVALID_FIELD"


async def test_a_window_of_more_than_a_thousand_records_at_one_instant_is_compared_by_ids(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    ids = books.add(30, day)
    for record_id in ids:
        books.held[record_id].event_time.FromMilliseconds(day.start_ms)
        books.held[record_id].device_id = "d1"
    await books.upload(ids)
    extra = Books(access, held={ids[7]: books.held.pop(ids[7])})
    books.held[ids[20]].device_id = ""
    missing = books.add(1, day)
    books.held[missing[0]].event_time.FromMilliseconds(day.start_ms)
    found = await books.compare(Bounds(day.start_ms, day.start_ms + 1), size=4)
    assert [one.record_id for one in found] == [*extra.held, ids[20], *missing]
    assert found[1].fields == ["deviceId"]
    assert books.trips == 8


async def test_what_is_not_settled_is_expected(access: Platform) -> None:
    books = Books(access, lot_id=OTHER_LOT)
    now_ms = access.clock.now_ms()
    minute = beijing.minute_bounds(now_ms - 10 * beijing.MINUTE_MS)
    hour = Bounds(minute.start_ms - beijing.HOUR_MS, minute.end_ms)
    late = entry("late-1", ms=minute.start_ms, lot_id=OTHER_LOT)
    unsent = entry("late-2", ms=minute.start_ms, lot_id=OTHER_LOT)
    await access.stub().UploadRecords(records.UploadRecordsRequest(records=[late]))
    books.held[unsent.record_id] = unsent
    found = await books.compare(hour)
    assert {one.record_id: one.kind for one in found} == dict.fromkeys(
        ("late-1", "late-2"), KIND.DIFFERENCE_KIND_EXPECTED
    )
    answer = await books.digests(minute.start_ms - 60 * beijing.MINUTE_MS, messages.STEP_MINUTE, beijing.MINUTE_MS, 61)
    assert answer.equal
    assert answer.compared_count < 61
    assert answer.settled_time.ToMilliseconds() == access.clock.now_ms() - 15 * beijing.MINUTE_MS
    reason, _ = await refusal(books.close(beijing.day_bounds(now_ms)))
    assert reason == "DAY_NOT_SETTLED"


async def test_a_day_is_closed_once_and_its_report_stands(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    ids = books.add(20, day)
    await books.upload(ids[1:])
    assert (await refusal(books.close(day)))[0] == "BOOKS_DIFFER"
    assert [one.record_id for one in await books.compare(day)] == [ids[0]]
    open_report = await books.report(day)
    assert (open_report.closed, open_report.equal, open_report.HasField("signature")) == (False, False, False)
    assert (open_report.vendor.count, open_report.platform.count) == (20, 19)
    assert [(one.record_id, one.repaired) for one in open_report.differences] == [(ids[0], False)]

    await books.upload(ids[:1])
    closed = await books.close(day)
    assert (closed.closed, closed.equal, closed.differences_found, closed.differences_repaired) == (True, True, 1, 1)
    assert closed.vendor == closed.platform
    again = await books.close(day)
    assert again.signature == closed.signature
    assert (await refusal(books.close(day, author="早班")))[0] == "DAY_CLOSED"

    void = books.revision(ids[3], 1, record_pb2.REVISION_KIND_VOID)
    await books.revise(void)
    added = books.add(1, day)
    await books.upload(added)
    later = await books.report(day)
    assert later.signature == closed.signature
    assert (later.vendor, later.platform, later.position) == (closed.vendor, closed.platform, closed.position)
    assert (later.adjustments, list(later.adjusted_record_ids)) == (2, sorted([ids[3], *added]))
    assert later.present.count == 20
    assert later.present.digest_sum != later.platform.digest_sum


async def test_differences_are_accepted_with_a_reason_only(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    await books.upload(books.add(3, day)[:2])
    await books.compare(day)
    assert (await refusal(books.close(day, accept_differences=True)))[0] == "INVALID_FIELD"
    plated = books.close(day, accept_differences=True, reason="闽B12345 无法补传")
    assert (await refusal(plated))[0] == "INVALID_FIELD"
    closed = await books.close(day, accept_differences=True, reason="设备损坏，无法补传")
    assert (closed.closed, closed.equal, closed.differences_accepted) == (True, False, True)
    assert (closed.differences_found, closed.differences_repaired) == (1, 0)


async def test_the_signature_proves_the_report_and_nothing_else(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    await books.upload(books.add(2, day))
    signature = (await books.close(day)).signature
    key = await access.reconciliation().GetReportKey(messages.GetReportKeyRequest())
    assert signature.key_id == key.key_id
    signed = Signed(signature.text, signature.key_id, signature.signature)
    assert proves(key.public_key_pem, signed)
    assert signature.text.startswith("parkmesh.access.day-report/1\nlot_id=")
    for place in range(0, len(signature.text), 7):
        changed = signature.text[:place] + chr(ord(signature.text[place]) ^ 1) + signature.text[place + 1 :]
        assert not proves(key.public_key_pem, signed._replace(text=changed))
    assert not proves(key.public_key_pem, signed._replace(signature=bytes(64)))


async def test_the_overview_shows_whose_books_agree(access: Platform) -> None:
    books = Books(access)
    day = fresh_day()
    await books.upload(books.add(4, day))
    date = beijing.day_key(day.start_ms)
    operator = access.reconciliation(OPERATOR)

    async def state() -> tuple[int, bool]:
        for _ in range(100):
            listed = (await operator.ListBooks(messages.ListBooksRequest(date=date))).books
            (found,) = (one for one in listed if one.lot_id == LOT)
            if found.state != seen:
                break
            await asyncio.sleep(0.05)
        return found.state, found.adjusted

    seen = 0
    assert await state() == (messages.BOOKS_STATE_NOT_COMPARED, False)
    seen = messages.BOOKS_STATE_NOT_COMPARED
    await books.digests(day.start_ms, messages.STEP_HOUR, beijing.HOUR_MS, 24)
    assert await state() == (messages.BOOKS_STATE_AGREE, False)
    seen = messages.BOOKS_STATE_AGREE
    # Agreed once, and no longer: what the vendor told last is held against what the platform has now.
    added = books.add(1, day)
    await books.upload(added)
    assert await state() == (messages.BOOKS_STATE_DIFFER, False)
    seen = messages.BOOKS_STATE_DIFFER
    await books.close(day)
    assert await state() == (messages.BOOKS_STATE_CLOSED, False)
    only = await operator.ListBooks(
        messages.ListBooksRequest(date=date, states=[messages.BOOKS_STATE_AGREE], page_size=1)
    )
    assert list(only.books) == []


@pytest.mark.parametrize("caller", [None, OPERATOR, DEVICE], ids=["vendor", "operator", "device"])
async def test_a_foreign_lot_is_as_unknown_as_one_that_is_nowhere(access: Platform, caller: Caller | None) -> None:
    day = fresh_day()
    answers = []
    for lot_id in (FOREIGN_LOT, "lot_nowhere"):
        stub = access.reconciliation(caller)
        date = beijing.day_key(day.start_ms)
        mine = messages.Fingerprint(count=0, digest_sum=bytes(32))
        digests = messages.CompareDigestsRequest(
            lot_id=lot_id, step=messages.STEP_DAY, counts=[0], digest_sums=[bytes(32)]
        )
        digests.start_time.FromMilliseconds(day.start_ms)
        window = messages.CompareRecordsRequest(lot_id=lot_id)
        window.start_time.FromMilliseconds(day.start_ms)
        window.end_time.FromMilliseconds(day.end_ms)
        way = messages.DirectionCounts(direction=record_pb2.DIRECTION_ENTRY)
        calls = [
            stub.CompareCounts(messages.CompareCountsRequest(lot_id=lot_id, date=date, directions=[way])),
            stub.CompareDigests(digests),
            stub.CompareRecords(window),
            stub.GetReport(messages.GetReportRequest(lot_id=lot_id, date=date)),
        ]
        if caller != DEVICE:
            calls.append(stub.CloseDay(messages.CloseDayRequest(lot_id=lot_id, date=date, vendor=mine, author="x")))
        answers.append([await refusal(call) for call in calls])
    assert answers[0] == answers[1]
    assert {reason for reason, _ in answers[0]} == {"LOT_NOT_FOUND"}


async def test_a_day_is_closed_with_a_sum(access: Platform) -> None:
    day = fresh_day()
    request = messages.CloseDayRequest(
        lot_id=LOT, date=beijing.day_key(day.start_ms), vendor=messages.Fingerprint(count=0), author="x"
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await access.reconciliation().CloseDay(request)
    assert "vendor.digestSum" in str(caught.value.trailing_metadata())


async def test_a_device_closes_no_day(access: Platform) -> None:
    day = fresh_day()
    mine = messages.Fingerprint(count=0, digest_sum=bytes(32))
    request = messages.CloseDayRequest(lot_id=LOT, date=beijing.day_key(day.start_ms), vendor=mine, author="x")
    reason, _ = await refusal(access.reconciliation(DEVICE).CloseDay(request))
    assert reason == "METHOD_NOT_ALLOWED"


async def test_the_refusal_of_what_was_sent_is_told_and_not_that_of_something_else(access: Platform) -> None:
    """An id under which several records were refused: each by its own digest, whichever came last."""
    books = Books(access)
    day = fresh_day()
    (record_id,) = books.add(1, day)
    books.held[record_id].gate_id = ""
    first = record_pb2.AccessRecord()
    first.CopyFrom(books.held[record_id])
    await books.upload([record_id])
    await access.drained()
    books.held[record_id].gate_id = "g1"
    books.held[record_id].vehicle_class = record_pb2.VEHICLE_CLASS_UNSPECIFIED
    await books.upload([record_id])
    await access.drained()
    (last_one,) = await books.compare(day)
    books.held[record_id] = first
    (first_one,) = await books.compare(day)
    assert first_one.kind == last_one.kind == KIND.DIFFERENCE_KIND_REFUSED
    assert (first_one.refused_field, last_one.refused_field) == ("gateId", "vehicleClass")


async def test_the_authority_is_told_no_sum_that_is_not_signed(access: Platform) -> None:
    """Two sums between which one record came give its digest."""
    books = Books(access)
    day = fresh_day()
    await books.upload(books.add(3, day))
    await books.digests(day.start_ms, messages.STEP_DAY, beijing.DAY_MS, 1)
    await access.drained()
    authority = [
        access.reconciliation(Caller(kind, "department-1", "client-authority", "account-authority"))
        for kind in (CallerKind.SUPERVISOR, CallerKind.ADMINISTRATOR)
    ]
    request = messages.GetReportRequest(lot_id=LOT, date=beijing.day_key(day.start_ms))
    told = await books.report(day)
    assert told.vendor.digest_sum == told.platform.digest_sum == told.present.digest_sum
    assert len(told.present.digest_sum) == 32
    for stub in authority:
        report = await stub.GetReport(request)
        assert report.equal
        for side in (report.vendor, report.platform, report.present):
            assert (side.count, side.HasField("digest_sum")) == (3, False)
    closed = await books.close(day)
    await books.upload(books.add(1, day))
    for stub in authority:
        report = await stub.GetReport(request)
        assert (report.vendor, report.platform) == (closed.vendor, closed.platform)
        assert (report.present.count, report.present.HasField("digest_sum")) == (4, False)


async def test_collectors_have_no_books_here(access: Platform) -> None:
    request = messages.GetReportRequest(lot_id=OTHER_LOT, date="2099-01-01")
    reason, _ = await refusal(access.reconciliation(COLLECTOR).GetReport(request))
    assert reason == "METHOD_NOT_ALLOWED"


async def test_a_supervisor_reads_reports_and_compares_nothing(access: Platform) -> None:
    supervisor = Caller(CallerKind.SUPERVISOR, "department-1", "client-supervisor", "account-supervisor")
    stub = access.reconciliation(supervisor)
    assert not (await stub.GetReport(messages.GetReportRequest(lot_id=LOT, date="2099-01-01"))).closed
    listed = await stub.ListBooks(messages.ListBooksRequest(page_size=1))
    further = await stub.ListBooks(messages.ListBooksRequest(page_size=1, page_token=listed.next_page_token))
    every = await stub.ListBooks(messages.ListBooksRequest(page_size=1000))
    assert {LOT, OTHER_LOT, FOREIGN_LOT} <= {one.lot_id for one in every.books}
    assert [*listed.books, *further.books] == every.books[:2]
    assert every.next_page_token == ""
    assert every.date == beijing.day_key(access.clock.now_ms() - beijing.DAY_MS)
    reason, _ = await refusal(stub.CompareRecords(messages.CompareRecordsRequest(lot_id=LOT)))
    assert reason == "METHOD_NOT_ALLOWED"
