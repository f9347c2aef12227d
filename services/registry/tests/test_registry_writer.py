"""The store: acts that are kept whole or not at all, numbered in their order."""

import asyncio
import contextlib
import itertools
import pathlib
import random
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from mesh.instants import time_of
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.vendor_pb2 import Grant, Vendor
from registry.errors import AlreadyRegistered, EffectiveTooEarly, StoreUnavailable
from registry.history.audit import Audit
from registry.storage.acts import Act
from registry.storage.engine import translated
from registry.storage.kinds import BERTH, BY_NAME, GATE, GRANT, LOT, OPERATOR, VENDOR
from registry.storage.reader import Reader
from registry.storage.store import Store, opened, to_the_end
from registry.testing import ADMINISTRATOR, a_berth, a_gate, a_lot, an_operator, kept

NOW = 4_102_444_800_000
VENDOR_1 = Vendor(vendor_id="vendor-1", name="厂商")


def lot(number: int, **stated: Any) -> Lot:
    return a_lot(number, **({"lot_id": f"lot-{number:04}", "operator_id": "operator-1"} | stated))


def act(at_ms: int = NOW, effective_ms: int | None = None) -> Act:
    return Act.of(ADMINISTRATOR, at_ms, effective_ms=effective_ms)


async def add(store: Store, *facts: Any) -> None:
    async with store.writing(act()) as writer:
        for fact in facts:
            await writer.add(fact)


async def raw(reader: Reader, sql: str) -> Sequence[sa.Row[Any]]:
    """What the tables themselves hold."""
    return (await reader._connection.execute(sa.text(sql))).all()


async def test_what_is_stored_comes_back_and_what_is_not_there_is_none(store: Store) -> None:
    gate = a_gate(lot_id="lot-0001")
    grant = Grant(vendor_id="vendor-1", lot_id="lot-0001", start_time=time_of(NOW))
    await kept(store, NOW, VENDOR_1, lot(1), gate, grant)
    async with store.reading() as facts:
        assert await facts.held(LOT, "lot-0001") == lot(1)
        assert [held.message for held in await facts.many(GATE, lot_id="lot-0001")] == [gate]
        assert await facts.held(GRANT, "vendor-1/lot-0001") == grant
        held = await facts.find(LOT, "lot-0001")
        assert held is not None
        assert (held.create_ms, held.update_ms, held.first_effective_ms, held.last_effective_ms) == (NOW,) * 4
        assert held.dressed().etag == held.etag == "2"
        assert held.dressed().create_time == held.dressed().update_time == time_of(NOW)
        named = await facts.named(LOT, "registration_number", "PT-1")
        assert named == held
        assert await facts.held(LOT, "x") is None
        assert await facts.named(LOT, "registration_number", "x") is None
        assert [held.message for held in await facts.many(GATE, lot_id="x")] == []


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        (lot(2, registration_number="PT-1"), "registrationNumber"),
        (a_gate(lot_id="lot-0001"), "gateId"),
        (Vendor(vendor_id="vendor-2", name="厂商"), "name"),
        (an_operator(1, operator_id="operator-2"), "creditCode"),
        (a_berth("b2", lot_id="lot-0002", police_code="P1"), "policeCode"),
        (Account(account_id="account-2", login="li"), "login"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_second_one_is_refused_and_nothing_of_its_act_is_kept(store: Store, fact: Any, field: str) -> None:
    berth = a_berth("b1", lot_id="lot-0001", police_code="P1")
    account = Account(account_id="account-1", login="li")
    operator = an_operator(1, operator_id="operator-1")
    await kept(store, NOW, VENDOR_1, lot(1), a_gate(lot_id="lot-0001"), operator, berth, account)
    with pytest.raises(AlreadyRegistered) as refused:
        await add(store, lot(3), fact)
    assert refused.value.metadata == {"field": field}
    async with store.reading() as facts:
        assert await facts.held(LOT, "lot-0003") is None
        assert (await facts.position())[1] == 6
        assert [row.number for row in await raw(facts, "SELECT number FROM audit")] == [1]


async def test_an_empty_unique_value_may_repeat(store: Store) -> None:
    await kept(store, NOW, a_berth("b1", lot_id="lot-1"), a_berth("b2", lot_id="lot-1"))
    async with store.reading() as facts:
        assert len(await facts.many(BERTH, lot_id="lot-1")) == 2


async def test_a_unique_value_moves_from_one_object_to_another_within_one_act(store: Store) -> None:
    await kept(store, NOW, lot(1), lot(2))
    await kept(store, NOW, lot(1, registration_number="PT-3"), lot(2, registration_number="PT-1"))
    async with store.reading() as facts:
        for number, key in (("PT-1", "lot-0002"), ("PT-3", "lot-0001")):
            held = await facts.named(LOT, "registration_number", number)
            assert held is not None
            assert held.message.lot_id == key
        assert await facts.named(LOT, "registration_number", "PT-2") is None
    # What was given up is free again, also for the one who gave it up.
    await kept(store, NOW, lot(3, registration_number="PT-2"))
    await kept(store, NOW, lot(3, registration_number="PT-9"), lot(3, registration_number="PT-2"))
    with pytest.raises(AlreadyRegistered):
        await kept(store, NOW, lot(4, registration_number="PT-3"), lot(1, registration_number="PT-4"))


async def test_what_a_belated_change_does_not_reach_claims_no_name(store: Store) -> None:
    await kept(store, NOW, lot(1), lot(2, registration_number="PT-7"))
    await kept(store, NOW + 10, lot(2))
    # It had that number for a while, but has not now: another one may take it.
    await kept(store, NOW + 20, lot(2, registration_number="PT-8"), effective_ms=NOW + 5)
    await kept(store, NOW + 21, lot(3, registration_number="PT-8"))
    async with store.reading() as facts:
        held = await facts.held(LOT, "lot-0002")
        assert held is not None
        assert held.registration_number == "PT-2"


async def test_an_act_that_changes_nothing_leaves_no_trace(store: Store) -> None:
    await kept(store, NOW, lot(1))
    await kept(store, NOW + 5, lot(1))
    await kept(store, NOW + 5, lot(1, etag="77"))
    async with store.writing(act()):
        pass
    async with store.reading() as facts:
        assert (await facts.position())[1] == 1
        assert len(await raw(facts, "SELECT number FROM audit")) == 1
        held = await facts.find(LOT, "lot-0001")
        assert held is not None
        assert held.update_ms == NOW


async def test_what_a_reader_got_can_be_altered_without_harm(store: Store) -> None:
    await kept(store, NOW, lot(1))
    async with store.writing(act(NOW + 1)) as facts:
        await facts.set(lot(1, name="甲"))
        held = await facts.find(LOT, "lot-0001")
        assert held is not None
        held.message.name = "乙"
        await facts.set(held.message)
    async with store.reading() as facts:
        assert [each.after.name for each in await facts.revisions(LOT, "lot-0001")] == ["莆田停车场 1", "甲", "乙"]


async def test_each_change_is_kept_with_who_when_and_why(store: Store) -> None:
    done = Act("RegistryService.UpdateLot", ADMINISTRATOR, NOW, NOW - 5, "复核", "survey-1")
    async with store.writing(done) as facts:
        await facts.set(lot(1))
    async with store.reading() as facts:
        (row,) = await raw(facts, "SELECT * FROM changes")
        (entry,) = await raw(facts, "SELECT * FROM audit")
    assert (row.revision, row.kind, row.key, row.lot_id) == (1, "lot", "lot-0001", "lot-0001")
    assert (row.effective_ms, row.report_ms, row.reason, row.change_set) == (NOW - 5, NOW, "复核", "survey-1")
    who = ("ADMINISTRATOR", "platform", "account-1", "admin")
    assert (row.role, row.subject, row.account_id, row.client_id) == who
    assert (entry.role, entry.subject, entry.account_id, entry.client_id) == who
    assert (entry.action, entry.target, entry.outcome) == ("RegistryService.UpdateLot", "lots/lot-0001", "DONE")
    assert (entry.first_revision, entry.last_revision) == (1, 1)


async def test_a_belated_change_takes_its_place_and_leaves_alone_what_came_after(store: Store) -> None:
    await kept(store, NOW, lot(1, name="甲", address="一"))
    await kept(store, NOW + 10, lot(1, name="乙", address="一"))
    async with store.writing(act(NOW + 20, effective_ms=NOW + 5)) as facts:
        held = await facts.find(LOT, "lot-0001")
        assert held is not None
        then = await facts.then(held)
        assert then == lot(1, name="甲", address="一")
        now = await facts.set(lot(1, name="丙", address="二"))
    assert now == lot(1, name="乙", address="二")
    async with store.reading() as facts:
        held = await facts.find(LOT, "lot-0001")
        assert held is not None
        assert held.message == now
        assert (held.update_ms, held.last_effective_ms) == (NOW + 20, NOW + 10)
        assert [each.fields for each in await facts.revisions(LOT, "lot-0001")][1:] == [("name",), ("name", "address")]


async def test_a_belated_change_to_what_is_true_now_is_a_change_all_the_same(store: Store) -> None:
    await kept(store, NOW, lot(1, name="甲"))
    await kept(store, NOW + 10, lot(1, name="乙"))
    await kept(store, NOW + 20, lot(1, name="乙"), effective_ms=NOW + 5)
    async with store.reading() as facts:
        assert len(await facts.revisions(LOT, "lot-0001")) == 3


async def test_nothing_becomes_true_before_the_object_was_there(store: Store) -> None:
    await kept(store, NOW, lot(1), effective_ms=NOW - 100)
    await kept(store, NOW, lot(1, name="甲"), effective_ms=NOW - 100)
    with pytest.raises(EffectiveTooEarly) as refused:
        await kept(store, NOW, lot(1, name="乙"), effective_ms=NOW - 101)
    assert [violation.field for violation in refused.value.fields] == ["effectiveTime"]


async def test_what_nobody_called_belated_holds_though_the_clock_went_back(store: Store) -> None:
    await kept(store, NOW, lot(1))
    await kept(store, NOW - 5000, lot(1, name="甲"))
    await kept(store, NOW + 40, lot(1, name="乙"), effective_ms=NOW + 60_000)  # the clock of the caller is ahead
    await kept(store, NOW + 50, lot(1, name="丙"))
    async with store.reading() as facts:
        held = await facts.held(LOT, "lot-0001")
        assert held is not None
        assert held.name == "丙"


async def test_what_fails_at_the_end_keeps_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    store.subscribe(lambda: calls.append(1))
    monkeypatch.setattr("registry.storage.seal.hash_of", lambda entry: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await kept(store, NOW, lot(1))
    monkeypatch.undo()
    assert calls == []
    await kept(store, NOW, lot(1))
    assert calls == [1]
    async with store.reading() as facts:
        assert (await facts.position())[1] == 1


@pytest.mark.slow
async def test_writers_of_two_stores_are_numbered_without_gaps_and_no_reader_skips_a_change(database_url: str) -> None:
    each = 12
    async with opened(database_url) as one, opened(database_url) as other, opened(database_url) as watching:

        async def write(store: Store, first: int) -> None:
            for number in range(first, first + each):
                await kept(store, NOW, lot(number))
                with contextlib.suppress(AlreadyRegistered):
                    await kept(store, NOW, lot(number + 1000), lot(number + 2000, registration_number=f"PT-{number}"))

        async def watch() -> list[str]:
            seen: list[str] = []
            epoch, since = "", 0
            while len(seen) < 4 * each:
                async with watching.reading() as facts:
                    page = await facts.page(epoch, since, 5)
                seen += [BY_NAME[kind].message.FromString(body).lot_id for kind, body in page.facts]
                epoch, since = page.epoch, page.revision
            return seen

        watcher = asyncio.create_task(watch())
        await asyncio.gather(*(write(store, each * n) for n, store in enumerate((one, other, one, other))))
        async with asyncio.timeout(30):
            seen = await watcher
        assert sorted(seen) == [f"lot-{number:04}" for number in range(4 * each)]
        async with one.reading() as facts:
            rows = await raw(facts, "SELECT revision FROM changes ORDER BY revision")
            assert [row.revision for row in rows] == list(range(1, 4 * each + 1))
            numbers = await raw(facts, "SELECT number FROM audit ORDER BY number")
            assert [row.number for row in numbers] == list(range(1, 4 * each + 1))
        assert (await Audit(other).verify()).first_broken == 0


async def test_a_change_that_is_still_open_is_not_seen(store: Store, database_url: str) -> None:
    async with opened(database_url) as other, store.writing(act()) as facts:
        await facts.add(VENDOR_1)
        async with other.reading() as elsewhere:
            assert (await elsewhere.page("", 0, 10)).facts == ()


@pytest.mark.slow
async def test_many_keys_and_names_are_read_at_once(store: Store) -> None:
    lots = [lot(number) for number in range(1200)]
    await kept(store, NOW, *lots)
    async with store.writing(act()) as facts:
        keys = [each.lot_id for each in lots] + ["x"]
        await facts.prefetch(LOT, keys, [("registration_number", "PT-7"), ("registration_number", "x")])
        assert [await facts.held(LOT, key) for key in keys] == [*lots, None]
        named = await facts.named(LOT, "registration_number", "PT-7")
        assert named is not None
        assert named.message == lots[7]
        assert await facts.named(LOT, "registration_number", "x") is None
        assert len(await facts.some(LOT, keys)) == 1200


async def test_lists_of_any_length_are_asked_for(store: Store) -> None:
    await kept(store, NOW, *(lot(number, operator_id=f"operator-{number % 3}") for number in range(5)))
    keys = [f"lot-{number:04}" for number in range(40_000)]
    async with store.reading() as facts:
        assert await facts.owners(LOT, keys) == {"operator-0", "operator-1", "operator-2"}
        assert await facts.owners(LOT, ()) == set()


class Adding:
    """A use case, for whoever hangs up amid it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @to_the_end
    async def lot(self, number: int) -> None:
        async with self._store.writing(act()) as facts:
            await facts.add(lot(number))


async def test_callers_that_hang_up_leave_no_lock_behind(database_url: str) -> None:
    chance = random.Random(20)
    async with opened(database_url) as store:
        for number in range(30):
            call = asyncio.create_task(Adding(store).lot(number))
            await asyncio.sleep(chance.random() * 0.01)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
    # What was begun is done by the time that the store is closed, and others may write.
    async with opened(database_url) as store:
        await kept(store, NOW, lot(99))
        async with store.reading() as facts:
            found = [held.message for held in await facts.many(LOT)]
        assert lot(99) in found
        assert len(found) > 1
        assert (await Audit(store).verify()).first_broken == 0


async def test_what_fails_after_its_caller_hung_up_fails_in_silence(store: Store) -> None:
    await kept(store, NOW, lot(1))
    call = asyncio.create_task(Adding(store).lot(1))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(AlreadyRegistered):
        await Adding(store).lot(1)


async def test_a_database_keeps_its_epoch_and_several_may_open_it_at_once(bare_database_url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stores = await asyncio.gather(*(stack.enter_async_context(opened(bare_database_url)) for _ in range(3)))
        await kept(stores[0], NOW, VENDOR_1)
        positions = set()
        for store in stores:
            async with store.reading() as facts:
                positions.add(await facts.position())
        assert len(positions) == 1
    async with opened(bare_database_url) as again, again.reading() as facts:
        assert await facts.position() in positions


async def test_two_databases_have_two_epochs(tmp_path: pathlib.Path) -> None:
    epochs = set()
    for name in ("one", "two"):
        async with opened(f"sqlite:///{tmp_path}/{name}.db") as store, store.reading() as facts:
            epochs.add((await facts.position())[0])
    assert len(epochs) == 2


async def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StoreUnavailable):
        async with opened(f"postgresql://postgres@/postgres?host={tmp_path}"):
            pass


async def test_what_postgresql_cannot_do_now_is_unavailable(new_postgresql_database: str) -> None:
    async with opened(new_postgresql_database) as store:
        await kept(store, NOW, lot(1))
        async with store.reading() as facts:
            await facts._connection.execute(sa.text("SET LOCAL statement_timeout = 1"))
            with pytest.raises(StoreUnavailable), translated():
                await raw(facts, "SELECT 1 FROM pg_sleep(10)")
        async with store.reading() as facts:
            with pytest.raises(sa.exc.DBAPIError), translated():
                await raw(facts, "SELECT 1/0")


async def test_who_waits_too_long_for_a_writer_is_told(tmp_path: pathlib.Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/registry.db") as store:
        store._engine.sync_engine.pool._timeout = 0.01  # type: ignore[attr-defined]
        async with store.writing(act()) as facts:
            await facts.add(VENDOR_1)
            with pytest.raises(StoreUnavailable):
                await Audit(store).verify()
        assert (await Audit(store).verify()).entries == 1


async def test_sqlite_is_set_to_lose_nothing(tmp_path: pathlib.Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/registry.db") as store, store.reading() as facts:
        for pragma, value in {"journal_mode": "delete", "synchronous": 2, "foreign_keys": 1}.items():
            assert (await raw(facts, f"PRAGMA {pragma}"))[0][0] == value


async def test_connections_that_postgresql_cut_are_made_anew(postgresql: str, new_postgresql_database: str) -> None:
    async with opened(new_postgresql_database) as store:
        await kept(store, NOW, VENDOR_1)
        connection = await asyncpg.connect(postgresql)
        name = new_postgresql_database.rpartition("/registry_")[2].partition("?")[0]
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", f"registry_{name}"
        )
        await connection.close()
        async with store.reading() as facts:
            assert await facts.held(VENDOR, "vendor-1") == VENDOR_1


async def test_objects_are_listed_by_key_of_one_lot_or_one_owner(store: Store) -> None:
    await kept(
        store,
        NOW,
        *(lot(number, operator_id=f"operator-{number % 2}") for number in (3, 1, 2, 4)),
        *(a_gate(f"g{number}", lot_id=f"lot-{side}") for number, side in itertools.product((2, 10, 1), "ab")),
    )
    async with store.reading() as facts:
        assert [held.message.lot_id for held in await facts.many(LOT, after="lot-0001", limit=2)] == [
            "lot-0002",
            "lot-0003",
        ]
        assert [held.message.lot_id for held in await facts.many(LOT, owner="operator-1")] == ["lot-0001", "lot-0003"]
        assert [held.message.gate_id for held in await facts.many(GATE, lot_id="lot-a")] == ["g1", "g10", "g2"]
        assert await facts.added_by(OPERATOR, "platform") == []
        assert len(await facts.added_by(LOT, "platform")) == 4
