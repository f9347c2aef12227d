"""Registration as the use cases do it: who sees what, what was true when, and what is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller, CallerKind
from mesh.errors import MeshError
from mesh.instants import time_of
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.coordinate_pb2 import COORDINATE_SYSTEM_WGS84, Coordinate
from parkmesh.registry.v1.lot_pb2 import (
    BERTH_CLASS_LARGE,
    BERTH_CLASS_SMALL,
    LOT_FLAG_MORE_OPEN_THAN_BUILT,
    LOT_FLAG_NO_OPERATOR,
    LOT_STATE_ACTIVE,
    LOT_STATE_CLOSED,
    LOT_STATE_DRAFT,
    LOT_STATE_PENDING,
    BerthCount,
    Lot,
)
from parkmesh.registry.v1.operator_pb2 import Operator
from parkmesh.registry.v1.vendor_pb2 import Grant
from registry.errors import (
    EffectiveTooEarly,
    EtagMismatch,
    InvalidField,
    InvalidFields,
    LotNotFound,
    NotRegistered,
    StateNotAllowed,
)
from registry.history.changes import Changes, Wanted
from registry.static.moments import Moment
from registry.static.register import CLOCKS_DIFFER_MS, Register
from registry.storage.kinds import BERTH, DEVICE, GATE
from registry.storage.store import Store
from registry.testing import (
    ADMINISTRATOR,
    a_berth,
    a_device,
    a_gate,
    a_lot,
    a_vendor_with_grants,
    an_operator,
    department,
    kept,
    operator_caller,
    vendor_caller,
)

NOW = 4_102_444_800_000
NOW_SEEN = Moment()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def register(store: Store, clock: ManualClock) -> Register:
    return Register(store, clock, SequentialIds())


async def updated(
    register: Register,
    lot_id: str,
    patch: Lot,
    *paths: str,
    by: Caller = ADMINISTRATOR,
    effective_ms: int | None = None,
) -> Lot:
    mask = FieldMask(paths=paths)
    return await register.update_lot(by, lot_id, patch, mask, reason="核对", effective_ms=effective_ms)


async def test_a_lot_gets_an_id_and_is_given_back(register: Register) -> None:
    where = Coordinate(latitude=25.431, longitude=119.007, system=COORDINATE_SYSTEM_WGS84)
    created = await register.create_lot(ADMINISTRATOR, a_lot(coordinate=where))
    assert (created.lot_id, created.state, created.etag) == ("lot-1", LOT_STATE_PENDING, "1")
    assert created.create_time == created.update_time == time_of(NOW)
    assert list(created.flags) == [LOT_FLAG_NO_OPERATOR]
    assert created.position.HasField("bd09")
    assert await register.lot(ADMINISTRATOR, "lot-1", NOW_SEEN) == created


async def test_objects_as_they_were_at_any_instant(register: Register, clock: ManualClock) -> None:
    operator = await register.create_operator(ADMINISTRATOR, an_operator(), effective_ms=NOW - 100)
    lot = await register.create_lot(ADMINISTRATOR, a_lot(name="甲"), effective_ms=NOW - 100)
    for part in (a_gate(address="甲"), a_device(maker="甲"), a_berth(place="甲")):
        await register.create_part(ADMINISTRATOR, lot.lot_id, part, effective_ms=NOW - 100)
    clock.advance(1000)
    told: dict[str, Any] = {"reason": "", "effective_ms": NOW + 500}
    mask = FieldMask
    await register.update_operator(ADMINISTRATOR, operator.operator_id, Operator(name="乙"), mask(), **told)
    await register.update_lot(ADMINISTRATOR, lot.lot_id, Lot(name="乙"), mask(), **told)
    for part, part_id in ((a_gate(address="乙"), "g1"), (a_device(maker="乙"), "d1"), (a_berth(place="乙"), "b1")):
        await register.update_part(ADMINISTRATOR, lot.lot_id, part_id, part, mask(), **told)

    async def seen(moment: Moment) -> list[str]:
        of_operator = await register.operator(ADMINISTRATOR, operator.operator_id, moment)
        of_lot = await register.lot(ADMINISTRATOR, lot.lot_id, moment)
        gate = await register.part(ADMINISTRATOR, GATE, lot.lot_id, "g1", moment)
        device = await register.part(ADMINISTRATOR, DEVICE, lot.lot_id, "d1", moment)
        berth = await register.part(ADMINISTRATOR, BERTH, lot.lot_id, "b1", moment)
        return [of_operator.name, of_lot.name, gate.address, device.maker, berth.place]

    async def listed(moment: Moment) -> list[str]:
        operators = await register.operators(ADMINISTRATOR, "", 9, moment)
        lots = await register.lots(ADMINISTRATOR, "", 9, moment)
        gates = await register.parts(ADMINISTRATOR, GATE, lot.lot_id, "", 9, moment)
        names = [each.name for _, each in operators] + [each.name for _, each in lots]
        return names + [gate.address for _, gate in gates]

    old = ["经营者 1", "甲", "甲", "甲", "甲"]
    assert await seen(NOW_SEEN) == ["乙"] * 5
    assert await seen(Moment(as_of_ms=NOW + 500)) == ["乙"] * 5
    assert await seen(Moment(as_of_ms=NOW + 499)) == old
    assert await seen(Moment(as_of_ms=NOW - 100)) == old
    assert await seen(Moment(known_ms=NOW + 999)) == old
    assert await seen(Moment(as_of_ms=NOW + 500, known_ms=NOW + 1000)) == ["乙"] * 5
    assert await listed(NOW_SEEN) == ["乙"] * 3
    assert await listed(Moment(as_of_ms=NOW + 499)) == ["经营者 1", "甲", "甲"]
    for moment in (Moment(as_of_ms=NOW - 101), Moment(known_ms=NOW - 1)):
        assert await listed(moment) == []
        with pytest.raises(NotRegistered):
            await register.lot(ADMINISTRATOR, lot.lot_id, moment)
        with pytest.raises(NotRegistered):
            await register.part(ADMINISTRATOR, GATE, lot.lot_id, "g1", moment)
    was = await register.lot(ADMINISTRATOR, lot.lot_id, Moment(as_of_ms=NOW))
    assert (was.create_time, was.update_time, was.etag) == (time_of(NOW), time_of(NOW), "")


async def test_lists_of_the_past_are_filtered_by_what_was_true_then(register: Register, clock: ManualClock) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot(), effective_ms=NOW)
    clock.advance(1000)
    await register.review_lot(department("police"), lot.lot_id, LOT_STATE_ACTIVE, "", "")

    async def ids(state: Any, moment: Moment) -> list[str]:
        return [key for key, _ in await register.lots(ADMINISTRATOR, "", 9, moment, state=state)]

    assert await ids(LOT_STATE_ACTIVE, NOW_SEEN) == [lot.lot_id]
    assert await ids(LOT_STATE_ACTIVE, Moment(as_of_ms=NOW)) == []
    assert await ids(LOT_STATE_PENDING, Moment(as_of_ms=NOW)) == [lot.lot_id]


async def test_pages_of_a_filtered_list_lead_through_it_once(register: Register, store: Store) -> None:
    lots = [a_lot(n, lot_id=f"lot-{n:03}", division_code="350303" if n % 7 else "350302") for n in range(100)]
    await kept(store, NOW, *lots)
    vendor = await a_vendor_with_grants(store, 1, NOW, *(lot.lot_id for lot in lots[20:]))
    for caller, first in ((ADMINISTRATOR, 0), (vendor, 20)):
        seen: list[str] = []
        while page := await register.lots(caller, seen[-1] if seen else "", 3, NOW_SEEN, division_code="350302"):
            seen += [key for key, _ in page]
            assert len(page) <= 3
        assert seen == [f"lot-{n:03}" for n in range(100) if n % 7 == 0 and n >= first]


async def test_a_stale_etag_is_refused_with_the_current_one(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot())
    newer = await updated(register, lot.lot_id, Lot(name="甲", etag=lot.etag), "name")
    with pytest.raises(EtagMismatch) as refused:
        await updated(register, lot.lot_id, Lot(name="乙", etag=lot.etag), "name")
    assert refused.value.metadata == {"etag": newer.etag}
    await updated(register, lot.lot_id, Lot(name="乙"), "name")
    for call in (
        register.submit_lot(ADMINISTRATOR, lot.lot_id, lot.etag),
        register.review_lot(ADMINISTRATOR, lot.lot_id, LOT_STATE_CLOSED, "因故", newer.etag),
    ):
        with pytest.raises(EtagMismatch):
            await call


async def test_of_two_updates_of_one_state_exactly_one_wins(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot())
    for _ in range(4):
        results = await asyncio.gather(
            *(updated(register, lot.lot_id, Lot(name=f"{lot.etag}{n}", etag=lot.etag), "name") for n in range(3)),
            return_exceptions=True,
        )
        won = [result for result in results if isinstance(result, Lot)]
        assert len(won) == 1
        assert sum(isinstance(result, EtagMismatch) for result in results) == 2
        (lot,) = won


async def test_a_whole_object_that_was_read_is_sent_back_with_its_changes(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot(address="胜利路"))
    lot.name = "新名"
    again = await updated(register, lot.lot_id, lot)
    assert (again.name, again.address, again.lot_id) == ("新名", "胜利路", lot.lot_id)
    assert again.etag != lot.etag
    assert await updated(register, lot.lot_id, again) == again


async def test_masked_fields_are_cleared_and_the_contract_is_held_against_the_result(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot(address="胜利路"))
    assert (await updated(register, lot.lot_id, Lot(), "address")).address == ""
    for field, json_name in (("name", "lot.name"), ("division_code", "lot.divisionCode"), ("type", "lot.type")):
        with pytest.raises(InvalidFields) as refused:
            await updated(register, lot.lot_id, Lot(), field)
        assert [violation.field for violation in refused.value.fields][:1] == [json_name]
    for field in ("state", "review", "flags", "position", "lot_id", "etag"):
        with pytest.raises(InvalidFields) as refused:
            await updated(register, lot.lot_id, Lot(), field)
        assert [violation.rule for violation in refused.value.fields] == ["update_mask.fixed"]


async def test_a_belated_change_is_made_on_the_state_of_its_time(register: Register, clock: ManualClock) -> None:
    def count(of_class: Any, built: int, open_: int) -> BerthCount:
        return BerthCount(berth_class=of_class, built=built, open=open_)

    operator = await register.create_operator(ADMINISTRATOR, an_operator())
    filed = a_lot(open_berths=0, berths=[count(BERTH_CLASS_SMALL, 100, 100)])
    lot = await register.create_lot(ADMINISTRATOR, filed, effective_ms=NOW - 100)
    clock.advance(1000)
    split = [count(BERTH_CLASS_SMALL, 10, 60), count(BERTH_CLASS_LARGE, 40, 40)]
    await updated(register, lot.lot_id, Lot(berths=split), "berths", effective_ms=NOW + 500)
    belated = Lot(berths=[count(BERTH_CLASS_SMALL, 80, 80)], operator_id=operator.operator_id)
    now = await updated(register, lot.lot_id, belated, "berths", "operator_id", effective_ms=NOW + 200)
    # The sum and the flags fit the fields beside them, at each time.
    assert (now.open_berths, list(now.flags)) == (100, [LOT_FLAG_MORE_OPEN_THAN_BUILT])
    assert (now.operator_id, list(now.berths)) == (operator.operator_id, split)
    for as_of_ms, open_berths, flags in (
        (NOW - 100, 100, [LOT_FLAG_NO_OPERATOR]),
        (NOW + 200, 80, []),
        (NOW + 500, 100, [LOT_FLAG_MORE_OPEN_THAN_BUILT]),
    ):
        was = await register.lot(ADMINISTRATOR, lot.lot_id, Moment(as_of_ms=as_of_ms))
        assert (was.open_berths, list(was.flags)) == (open_berths, flags)
    # And whoever sends it back as it is, is not refused.
    assert await updated(register, lot.lot_id, now) == now


async def test_effective_times_have_their_bounds(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot(), effective_ms=0)
    ahead = NOW + CLOCKS_DIFFER_MS
    with pytest.raises(InvalidField) as refused:
        await updated(register, lot.lot_id, Lot(name="甲"), "name", effective_ms=ahead + 1)
    assert [violation.rule for violation in refused.value.fields] == ["effective_time.in_future"]
    assert (await updated(register, lot.lot_id, Lot(name="甲"), "name", effective_ms=ahead)).name == "甲"
    # The clock of that caller was ahead: who comes after it without a word on time comes after it.
    assert (await updated(register, lot.lot_id, Lot(name="乙"), "name")).name == "乙"
    late = await register.create_lot(ADMINISTRATOR, a_lot(2), effective_ms=NOW - 10)
    with pytest.raises(EffectiveTooEarly):
        await updated(register, late.lot_id, Lot(name="甲"), "name", effective_ms=NOW - 11)
    assert (await register.lot(ADMINISTRATOR, lot.lot_id, Moment(as_of_ms=253_402_300_799_999))).name == "乙"


async def test_fields_that_the_platform_sets_are_left_out_when_filing(register: Register) -> None:
    for lot in (a_lot(lot_id="mine"), a_lot(etag="1"), a_lot(flags=[1]), a_lot(create_time=time_of(0))):
        with pytest.raises(InvalidFields) as refused:
            await register.create_lot(ADMINISTRATOR, lot)
        assert [violation.rule for violation in refused.value.fields] == ["left_out"]
    with pytest.raises(InvalidFields):
        await register.create_operator(ADMINISTRATOR, an_operator(operator_id="mine"))
    lot = await register.create_lot(ADMINISTRATOR, a_lot())
    with pytest.raises(InvalidField) as of_other:
        await register.create_part(ADMINISTRATOR, lot.lot_id, a_gate(lot_id="lot-2"))
    assert [violation.rule for violation in of_other.value.fields] == ["gate.of_other_lot"]
    assert (await register.create_part(ADMINISTRATOR, lot.lot_id, a_gate(lot_id=lot.lot_id))).lot_id == lot.lot_id


async def test_a_lot_goes_from_draft_to_closed(register: Register, store: Store) -> None:
    vendor, police = vendor_caller(1), department("police")
    lot = await register.create_lot(vendor, a_lot(state=LOT_STATE_DRAFT))
    assert (await register.submit_lot(vendor, lot.lot_id, lot.etag)).state == LOT_STATE_PENDING
    with pytest.raises(StateNotAllowed):
        await register.submit_lot(vendor, lot.lot_id, "")
    returned = await register.review_lot(police, lot.lot_id, LOT_STATE_DRAFT, "缺少经营管理者", "")
    assert (returned.state, returned.review.comment) == (LOT_STATE_DRAFT, "缺少经营管理者")
    await register.submit_lot(vendor, lot.lot_id, "")
    await register.review_lot(police, lot.lot_id, LOT_STATE_ACTIVE, "", "")
    closed = await register.review_lot(police, lot.lot_id, LOT_STATE_CLOSED, "停业", "")
    with pytest.raises(StateNotAllowed):
        await register.review_lot(police, lot.lot_id, LOT_STATE_ACTIVE, "", "")
    assert await register.lot(police, lot.lot_id, NOW_SEEN) == closed


async def test_which_person_reviewed_a_lot_is_told_to_the_city_alone(
    store: Store, clock: ManualClock, register: Register
) -> None:
    vendor, police = vendor_caller(1), department("police")
    lot_id = (await register.create_lot(vendor, a_lot())).lot_id
    assert not (await register.lot(vendor, lot_id, NOW_SEEN)).HasField("review")
    await register.review_lot(police, lot_id, LOT_STATE_DRAFT, "缺少经营管理者", "")
    changes = Changes(store, clock)
    for caller, reviewer in ((vendor, ""), (police, "account-police"), (ADMINISTRATOR, "account-police")):
        listed = await register.lots(caller, "", 9, NOW_SEEN)
        (change,) = await changes.list(caller, Wanted(lot_id=lot_id, author="police"), None, 9)
        for seen in (
            await register.lot(caller, lot_id, NOW_SEEN),
            await register.lot(caller, lot_id, Moment(known_ms=NOW)),
            dict(listed)[lot_id],
            change.after.lot,
        ):
            assert (seen.review.comment, seen.review.reviewer) == ("缺少经营管理者", reviewer)
    changed = await updated(register, lot_id, Lot(name="甲"), by=vendor)
    submitted = await register.submit_lot(vendor, lot_id, "")
    assert [(lot.review.comment, lot.review.reviewer) for lot in (changed, submitted)] == [("缺少经营管理者", "")] * 2
    assert (await register.lot(police, lot_id, NOW_SEEN)).review.reviewer == "account-police"


Call = Callable[[Register, Caller, str], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "GetLot": lambda register, by, lot: register.lot(by, lot, NOW_SEEN),
    "GetLot as of": lambda register, by, lot: register.lot(by, lot, Moment(as_of_ms=0)),
    "UpdateLot": lambda register, by, lot: updated(register, lot, Lot(name="甲"), by=by),
    "UpdateLot with a wrong mask": lambda register, by, lot: updated(register, lot, Lot(), "x", by=by),
    "UpdateLot with an etag": lambda register, by, lot: updated(register, lot, Lot(etag="x"), by=by),
    "UpdateLot of the past": lambda register, by, lot: updated(register, lot, Lot(name="甲"), by=by, effective_ms=0),
    "SubmitLot": lambda register, by, lot: register.submit_lot(by, lot, ""),
    "ReviewLot": lambda register, by, lot: register.review_lot(by, lot, LOT_STATE_CLOSED, "", ""),
    "CreateGate": lambda register, by, lot: register.create_part(by, lot, a_gate("g9")),
    "CreateGate again": lambda register, by, lot: register.create_part(by, lot, a_gate()),
    "CreateGate that is wrong": lambda register, by, lot: register.create_part(by, lot, a_gate("g9", name="x")),
    "CreateDevice": lambda register, by, lot: register.create_part(by, lot, a_device("d9")),
    "CreateBerth": lambda register, by, lot: register.create_part(by, lot, a_berth("b9")),
    "GetGate": lambda register, by, lot: register.part(by, GATE, lot, "g1", NOW_SEEN),
    "GetGate that is not there": lambda register, by, lot: register.part(by, GATE, lot, "g9", NOW_SEEN),
    "GetDevice": lambda register, by, lot: register.part(by, DEVICE, lot, "d1", NOW_SEEN),
    "GetBerth": lambda register, by, lot: register.part(by, BERTH, lot, "b1", NOW_SEEN),
    "ListGates": lambda register, by, lot: register.parts(by, GATE, lot, "", 9, NOW_SEEN),
    "ListDevices": lambda register, by, lot: register.parts(by, DEVICE, lot, "", 9, NOW_SEEN),
    "ListBerths": lambda register, by, lot: register.parts(by, BERTH, lot, "", 9, Moment(as_of_ms=0)),
    "UpdateGate": lambda register, by, lot: register.update_part(
        by, lot, "g1", a_gate(address="甲"), FieldMask(), reason="", effective_ms=None
    ),
    "UpdateBerth that is not there": lambda register, by, lot: register.update_part(
        by, lot, "b9", a_berth("b9"), FieldMask(), reason="", effective_ms=None
    ),
    "ListChanges": lambda register, by, lot: Changes(register._store, register._clock).list(
        by, Wanted(lot_id=lot), None, 9
    ),
}


async def refusal(call: Awaitable[Any]) -> tuple[Any, ...]:
    """All that a refused caller is told."""
    with pytest.raises(MeshError) as caught:
        await call
    error = caught.value
    return type(error), error.reason, error.code, error.message, error.chinese, error.fields, error.metadata


async def test_a_foreign_lot_looks_like_none(register: Register, store: Store, clock: ManualClock) -> None:
    operator = await register.create_operator(ADMINISTRATOR, an_operator())
    lot = await register.create_lot(ADMINISTRATOR, a_lot(operator_id=operator.operator_id))
    for part in (a_gate(), a_device(), a_berth()):
        await register.create_part(ADMINISTRATOR, lot.lot_id, part)
    vendor = await a_vendor_with_grants(store, 1, NOW, lot.lot_id)
    never = await a_vendor_with_grants(store, 2, NOW)
    ended = await a_vendor_with_grants(store, 3, NOW)
    ahead = await a_vendor_with_grants(store, 4, NOW + 1000, lot.lot_id)
    over = Grant(vendor_id=ended.subject, lot_id=lot.lot_id, start_time=time_of(NOW - 9), end_time=time_of(NOW))
    await kept(store, NOW, over)
    for stranger in (
        never,
        ended,
        ahead,
        operator_caller("operator-9"),
        Caller(CallerKind.DEVICE, lot.lot_id),
        Caller(CallerKind.COLLECTOR, never.subject),
        Caller(CallerKind.SERVICE, vendor.subject),
    ):
        for name, call in CALLS.items():
            if name == "ListChanges" and stranger.kind not in (CallerKind.VENDOR, CallerKind.OPERATOR):
                continue
            foreign = await refusal(call(register, stranger, lot.lot_id))
            unknown = await refusal(call(register, stranger, "lot-99"))
            assert foreign == unknown, name
            assert foreign[0] is LotNotFound
        assert await register.lots(stranger, "", 9, NOW_SEEN) == []
        assert await register.lots(stranger, "", 9, Moment(as_of_ms=NOW), operator_id=operator.operator_id) == []
    for friend in (vendor, operator_caller(operator.operator_id), department("police")):
        assert (await register.lot(friend, lot.lot_id, NOW_SEEN)).lot_id == lot.lot_id
        assert len(await register.lots(friend, "", 9, NOW_SEEN)) == 1
        assert len(await register.parts(friend, GATE, lot.lot_id, "", 9, NOW_SEEN)) == 1
    clock.advance(1000)
    assert len(await register.lots(ahead, "", 9, NOW_SEEN)) == 1


async def test_an_operators_people_neither_give_a_lot_away_nor_lose_sight_of_it(register: Register) -> None:
    operator = await register.create_operator(ADMINISTRATOR, an_operator())
    lot = await register.create_lot(ADMINISTRATOR, a_lot(operator_id=operator.operator_id))
    by = operator_caller(operator.operator_id)
    told = await refusal(updated(register, lot.lot_id, Lot(), "operator_id", by=by))
    assert "update_mask.fixed" in str(told)
    other = await refusal(updated(register, lot.lot_id, Lot(operator_id="operator-99", remarks="好"), by=by))
    assert "lot.operatorId" in str(other)
    kept = await updated(register, lot.lot_id, Lot(operator_id=operator.operator_id, remarks="好"), by=by)
    assert (kept.operator_id, kept.remarks) == (operator.operator_id, "好")


async def test_a_foreign_operator_looks_like_none(register: Register, store: Store) -> None:
    foreign = await register.create_operator(ADMINISTRATOR, an_operator(1))
    of_lot = await register.create_operator(ADMINISTRATOR, an_operator(2))
    lot = await register.create_lot(ADMINISTRATOR, a_lot(operator_id=of_lot.operator_id))
    vendor = await a_vendor_with_grants(store, 1, NOW, lot.lot_id)
    own = await register.create_operator(vendor, an_operator(3))

    def update(by: Caller, operator_id: str) -> Awaitable[Any]:
        patch = Operator(name="甲")
        return register.update_operator(by, operator_id, patch, FieldMask(), reason="", effective_ms=None)

    for stranger in (vendor, operator_caller(of_lot.operator_id)):
        for call in (
            lambda operator_id: register.operator(stranger, operator_id, NOW_SEEN),  # noqa: B023 - called at once
            lambda operator_id: update(stranger, operator_id),  # noqa: B023
        ):
            told = await refusal(call(foreign.operator_id))
            assert told == await refusal(call("operator-99"))
            assert told[0] is NotRegistered
    # Named in a lot it is as unknown, whatever else is wrong with it.
    for patch in (Lot(), Lot(name=" x"), Lot(registration_number="PT-1"), Lot(etag="9")):
        answers: list[tuple[Any, ...]] = []
        for operator_id in (foreign.operator_id, "operator-99"):
            patch.operator_id = operator_id
            filing = a_lot(2)
            filing.MergeFrom(patch)
            filing.etag = ""
            answers.append(await refusal(updated(register, lot.lot_id, patch, by=vendor)))
            answers.append(await refusal(register.create_lot(vendor, filing)))
        assert answers[:2] == answers[2:]
    seen = [key for key, _ in await register.operators(vendor, "", 9, NOW_SEEN)]
    assert seen == [of_lot.operator_id, own.operator_id]
    assert [key for key, _ in await register.operators(operator_caller(of_lot.operator_id), "", 9, NOW_SEEN)] == [
        of_lot.operator_id
    ]
    # A vendor names the operator once; from then on it is the city's to change.
    mine = await register.create_lot(vendor, a_lot(3))
    named = await updated(register, mine.lot_id, Lot(operator_id=own.operator_id), by=vendor)
    assert named.operator_id == own.operator_id
    for patch, *fields in ((Lot(operator_id=of_lot.operator_id),), (Lot(), "operator_id")):
        assert "fixed" in str(await refusal(updated(register, mine.lot_id, patch, *fields, by=vendor)))


async def test_who_files_a_lot_may_speak_for_it(register: Register) -> None:
    vendor = vendor_caller(1)
    lot = await register.create_lot(vendor, a_lot())
    assert await register.lot(vendor, lot.lot_id, NOW_SEEN) == lot
    with pytest.raises(LotNotFound):
        await register.lot(vendor_caller(2), lot.lot_id, NOW_SEEN)
    operator = await register.create_operator(ADMINISTRATOR, an_operator())
    of_operator = await register.create_lot(operator_caller(operator.operator_id), a_lot(2))
    assert of_operator.operator_id == operator.operator_id
    with pytest.raises(InvalidFields):
        await register.create_lot(operator_caller(operator.operator_id), a_lot(3, operator_id="operator-99"))


async def test_parts_are_listed_by_number_and_registered_once(register: Register) -> None:
    lot = await register.create_lot(ADMINISTRATOR, a_lot())
    other = await register.create_lot(ADMINISTRATOR, a_lot(2))
    for gate_id in ("g2", "g10", "g1"):
        await register.create_part(ADMINISTRATOR, lot.lot_id, a_gate(gate_id))
    await register.create_part(ADMINISTRATOR, other.lot_id, a_gate("g5"))

    async def ids(after: str, limit: int) -> list[str]:
        found = await register.parts(ADMINISTRATOR, GATE, lot.lot_id, after, limit, NOW_SEEN)
        return [gate.gate_id for _, gate in found]

    assert await ids("", 9) == ["g1", "g10", "g2"]
    assert await ids("", 2) == ["g1", "g10"]
    assert await ids("g10", 2) == ["g2"]
    with pytest.raises(NotRegistered):
        await register.part(ADMINISTRATOR, GATE, lot.lot_id, "g5", NOW_SEEN)
