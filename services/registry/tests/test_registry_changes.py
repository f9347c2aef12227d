"""The history as people read it: what is in sight, what is late, and what a department has not received yet."""

import random
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.change_service_pb2 import (
    FACT_KIND_GATE,
    FACT_KIND_LOT,
    FACT_KIND_RULE,
    FACT_KIND_UNSPECIFIED,
    Change,
    FactKind,
)
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.role_pb2 import ROLE_ADMINISTRATOR, ROLE_VENDOR
from parkmesh.registry.v1.rule_pb2 import Rule
from parkmesh.registry.v1.vendor_pb2 import Credential, Grant, Vendor
from registry.errors import LotNotFound, NotRegistered
from registry.history.changes import Changes, Wanted
from registry.history.lateness import HOUR_MS, lateness
from registry.static.moments import Moment
from registry.static.register import Register
from registry.static.rules import Rules
from registry.storage.store import Store
from registry.testing import (
    ADMINISTRATOR,
    a_gate,
    a_lot,
    a_report_rule,
    a_vendor_with_grants,
    an_operator,
    department,
    kept,
    operator_caller,
    vendor_caller,
)

NOW = 4_102_444_800_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def changes(store: Store, clock: ManualClock) -> Changes:
    return Changes(store, clock)


async def listed(changes: Changes, by: Caller, after: int | None = None, limit: int = 99, **wanted: Any) -> list[int]:
    return [change.revision for change in await changes.list(by, Wanted(**wanted), after, limit)]


async def test_a_change_is_told_with_all_that_is_known_of_it(
    store: Store, clock: ManualClock, changes: Changes
) -> None:
    register = Register(store, clock, SequentialIds())
    await Rules(store, clock, SequentialIds()).create(ADMINISTRATOR, a_report_rule(48, 0), "")
    vendor = vendor_caller(1)
    lot = await register.create_lot(vendor, a_lot(name="甲"), reason="新建", effective_ms=NOW - 49 * HOUR_MS)
    clock.advance(1000)
    await register.update_lot(ADMINISTRATOR, lot.lot_id, Lot(name="乙"), FieldMask(), reason="更名", effective_ms=NOW)
    belated = Lot(name="丙")
    effective_ms = NOW - 48 * HOUR_MS - 500
    await register.update_lot(vendor, lot.lot_id, belated, FieldMask(), reason="", effective_ms=effective_ms)
    await changes.receive(department("police"), [4])
    first, second, third = await changes.list(vendor, Wanted(kinds=(FACT_KIND_LOT,)), None, 9)
    assert (first.revision, first.kind, first.name, first.lot_id) == (2, FACT_KIND_LOT, "lots/lot-1", "lot-1")
    assert not first.HasField("before")
    assert (first.after.lot.name, first.reason, first.author, first.client_id) == (
        "甲",
        "新建",
        "vendor-1",
        "client-1",
    )
    assert (first.author_role, second.author_role) == (ROLE_VENDOR, ROLE_ADMINISTRATOR)
    assert (first.lateness.late, first.lateness.late_seconds) == (True, 3600)
    assert list(first.fields)[:3] == ["lotId", "registrationNumber", "name"]
    assert (second.before.lot.name, second.after.lot.name, list(second.fields)) == ("甲", "乙", ["name"])
    assert (second.effective_time, second.report_time) == (time_of(NOW), time_of(NOW + 1000))
    assert (second.lateness.late, second.lateness.late_seconds) == (False, 0)
    assert [(receipt.department, receipt.receive_time) for receipt in second.receipts] == [
        ("police", time_of(NOW + 1000))
    ]
    # Who of another house did it is told to the city's own people alone.
    assert (second.author, second.account_id, second.client_id) == ("platform", "", "")
    assert [receipt.account_id for receipt in second.receipts] == [""]
    (told,) = await changes.list(department("police"), Wanted(kinds=(FACT_KIND_LOT,)), second.revision - 1, 1)
    assert (told.account_id, told.receipts[0].account_id) == ("account-1", "account-police")
    # Of a belated one, before and after are of its own time.
    assert (third.before.lot.name, third.after.lot.name) == ("甲", "丙")
    assert (third.lateness.late, third.lateness.late_seconds, list(third.receipts)) == (True, 2, [])


async def test_each_caller_sees_its_own(store: Store, changes: Changes, clock: ManualClock) -> None:
    await kept(store, NOW, an_operator(1, operator_id="operator-1"), an_operator(2, operator_id="operator-2"))
    await kept(store, NOW, a_lot(1, lot_id="lot-1", operator_id="operator-1"), a_gate(lot_id="lot-1"))
    await kept(store, NOW, a_lot(2, lot_id="lot-2", operator_id="operator-2"), a_gate(lot_id="lot-2"))
    await kept(store, NOW, an_operator(3, operator_id="operator-3"), by=vendor_caller(1))
    vendor = await a_vendor_with_grants(store, 1, NOW, "lot-1")  # 8: the vendor, 9: the grant
    await kept(store, NOW, Credential(client_id="client-1", subject_id="vendor-1"))
    await kept(store, NOW, a_report_rule(48, 0, rule_id="rule-1"))
    assert await listed(changes, vendor) == [1, 3, 4, 7]
    assert await listed(changes, operator_caller("operator-1")) == [1, 3, 4]
    assert await listed(changes, operator_caller("operator-2")) == [2, 5, 6]
    assert await listed(changes, department("police")) == [1, 2, 3, 4, 5, 6, 7, 11]
    assert await listed(changes, ADMINISTRATOR) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    for stranger in (vendor_caller(2), operator_caller("operator-9")):
        assert await listed(changes, stranger) == []
        for lot_id in ("lot-1", "lot-99"):
            with pytest.raises(LotNotFound):
                await listed(changes, stranger, lot_id=lot_id)
        assert await listed(changes, stranger, author="platform") == []
    over = Grant(vendor_id="vendor-1", lot_id="lot-1", start_time=time_of(0), end_time=time_of(NOW + 5))
    await kept(store, NOW, over)
    assert await listed(changes, vendor) == [1, 3, 4, 7]
    clock.advance(5)
    assert await listed(changes, vendor) == [7]


async def test_no_secret_kind_is_shown_with_its_object(store: Store, changes: Changes) -> None:
    await kept(store, NOW, Credential(client_id="client-1", subject_id="vendor-1"))
    auditor = Caller(CallerKind.AUDIT_ADMINISTRATOR, "platform")
    (change,) = await changes.list(auditor, Wanted(), None, 9)
    assert (change.name, list(change.fields)) == ("credentials/client-1", ["clientId", "subjectId"])
    assert not change.HasField("after")


async def test_changes_are_listed_as_wanted(store: Store, changes: Changes) -> None:
    for number in range(1, 7):
        by = vendor_caller(number % 2)
        lot = a_lot(number, lot_id=f"lot-{number}")
        await kept(store, NOW + number, lot, a_gate(lot_id=lot.lot_id), by=by)
    assert await listed(changes, ADMINISTRATOR, limit=2) == [1, 2]
    assert await listed(changes, ADMINISTRATOR, after=2, limit=2) == [3, 4]
    assert await listed(changes, ADMINISTRATOR, newest_first=True, limit=2) == [12, 11]
    assert await listed(changes, ADMINISTRATOR, newest_first=True, after=11, limit=2) == [10, 9]
    assert await listed(changes, ADMINISTRATOR, kinds=(FACT_KIND_GATE,), limit=2) == [2, 4]
    assert await listed(changes, ADMINISTRATOR, kinds=(FACT_KIND_UNSPECIFIED,)) == []
    assert await listed(changes, ADMINISTRATOR, lot_id="lot-2") == [3, 4]
    assert await listed(changes, ADMINISTRATOR, author="vendor-1", kinds=(FACT_KIND_LOT,)) == [1, 5, 9]
    assert await listed(changes, ADMINISTRATOR, author="vendor-_") == []
    assert await listed(changes, ADMINISTRATOR, author="vendor-%") == []
    assert await listed(changes, ADMINISTRATOR, change_set="x") == []
    assert await listed(changes, ADMINISTRATOR, reported_from_ms=NOW + 2, reported_before_ms=NOW + 3) == [3, 4]


@pytest.mark.slow
async def test_a_vendor_of_very_many_lots_lists_its_own(store: Store, changes: Changes, clock: ManualClock) -> None:
    await kept(store, NOW, a_lot(1, lot_id="lot-00001"), a_lot(2, lot_id="lot-x"))
    await a_vendor_with_grants(store, 1, NOW, *(f"lot-{number:05}" for number in range(33_000)))
    assert await listed(changes, vendor_caller(1)) == [1]
    found = await Register(store, clock, SequentialIds()).lots(vendor_caller(1), "", 9, Moment())
    assert [key for key, _ in found] == ["lot-00001"]


async def test_an_inbox_holds_what_the_department_has_not_received(store: Store, changes: Changes) -> None:
    police, urban = department("police"), department("urban")
    await kept(store, NOW, a_lot(1, lot_id="lot-1"), a_gate(lot_id="lot-1"), Vendor(vendor_id="vendor-1", name="甲"))
    await kept(store, NOW, a_report_rule(48, 0, rule_id="rule-1"), a_lot(2, lot_id="lot-2"))
    assert await listed(changes, police, awaiting_receipt=True) == [1, 2, 5]
    assert await changes.receive(police, [1, 5]) == 2
    assert await changes.receive(police, [5, 1, 2]) == 1
    assert await changes.receive(police, [1, 2, 5]) == 0
    assert await listed(changes, police, awaiting_receipt=True) == []
    assert await listed(changes, urban, awaiting_receipt=True) == [1, 2, 5]
    for wrong in ([3], [4], [99], [2, 99], [2**63 - 1]):
        with pytest.raises(NotRegistered):
            await changes.receive(urban, wrong)
    assert await listed(changes, urban, awaiting_receipt=True) == [1, 2, 5]
    await kept(store, NOW, a_lot(1, lot_id="lot-1", name="新名"))
    assert await listed(changes, police, awaiting_receipt=True) == [6]
    assert await changes.receive(police, [6]) == 1
    found: Change = (await changes.list(police, Wanted(lot_id="lot-1"), 5, 1))[0]
    assert [(receipt.department, receipt.account_id) for receipt in found.receipts] == [("police", "account-police")]


async def test_a_thousand_changes_are_received_at_once(store: Store, changes: Changes) -> None:
    await kept(store, NOW, *(a_gate(f"g{number}", lot_id="lot-1") for number in range(1000)))
    assert await changes.receive(department("police"), range(1, 1001)) == 1000
    assert await listed(changes, department("police"), awaiting_receipt=True) == []


async def test_without_a_rule_nothing_is_late(store: Store, changes: Changes) -> None:
    await kept(store, NOW, a_lot(lot_id="lot-1"), effective_ms=0)
    assert await listed(changes, ADMINISTRATOR, late_only=True) == []
    assert not (await changes.list(ADMINISTRATOR, Wanted(), None, 9))[0].HasField("lateness")


async def test_the_filter_of_late_changes_is_the_function(store: Store, changes: Changes) -> None:
    chance = random.Random(20)
    step = HOUR_MS // 2
    for number in range(60):
        effective_ms = NOW + chance.randrange(20) * step
        report_ms = effective_ms + chance.choice([0, step, 2 * step, 2 * step + 1, 5 * step])
        await kept(store, report_ms, a_lot(number, lot_id=f"lot-{number}"), effective_ms=effective_ms)
    for _ in range(12):
        rules: list[Rule] = []
        for number in range(chance.randrange(5)):
            start = chance.randrange(-2, 20)
            end = None if chance.random() < 0.4 else NOW + (start + chance.randrange(1, 9)) * step
            rules.append(a_report_rule(chance.randrange(1, 3), NOW + start * step, end, rule_id=f"rule-{number}"))
        async with store._engine.begin() as connection:
            await connection.execute(sa.text("DELETE FROM facts WHERE kind = 'rule'"))
        await kept(store, NOW, *rules)
        everything = await changes.list(ADMINISTRATOR, Wanted(kinds=(FACT_KIND_LOT,)), None, 999)
        late = [
            change.revision
            for change in everything
            if (told := lateness(rules, _ms(change.effective_time), _ms(change.report_time))) and told.late
        ]
        assert [change.revision for change in everything if change.lateness.late] == late
        assert await listed(changes, ADMINISTRATOR, limit=999, late_only=True) == late


def _ms(time: Any) -> int:
    return int(time.ToMilliseconds())


async def test_rules_are_added_and_ended_never_altered(store: Store, clock: ManualClock, changes: Changes) -> None:
    rules = Rules(store, clock, SequentialIds())
    rule = await rules.create(ADMINISTRATOR, a_report_rule(48, NOW - 1000), "细则施行")
    ended = await rules.end(ADMINISTRATOR, rule.rule_id, NOW + 500, "修订")
    assert (ended.end_time, ended.etag) == (time_of(NOW + 500), "2")
    # What ends earlier stays as it is.
    assert await rules.end(ADMINISTRATOR, rule.rule_id, NOW + 900, "") == ended
    assert (await rules.end(ADMINISTRATOR, rule.rule_id, None, "")).end_time == time_of(NOW)
    assert [key for key, _ in await rules.list("", 9)] == [rule.rule_id]
    assert [FactKind.Name(each.kind) for each in await changes.list(ADMINISTRATOR, Wanted(), None, 9)] == [
        FactKind.Name(FACT_KIND_RULE)
    ] * 3
    with pytest.raises(NotRegistered):
        await rules.end(ADMINISTRATOR, "rule-9", None, "")
