import asyncio
import contextlib
import pathlib
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from registry import history
from registry.domain import (
    Coordinate,
    CoordinateSystem,
    Credential,
    Gate,
    Grant,
    Lane,
    LaneDirection,
    Lot,
    LotState,
    LotType,
    Role,
    Vendor,
    secret_hash,
)
from registry.errors import AlreadyRegistered, StoreUnavailable
from registry.store import Reader, Store, opened, to_the_end

NOW = 4_102_444_800_000


def lot(number: int, **facts: object) -> Lot:
    stated: dict[str, object] = {
        "lot_id": f"lot-{number:04}",
        "registration_number": f"R{number}",
        "name": f"莆田停车场 {number}",
        "type": LotType.PUBLIC,
        "division_code": "350302",
        "address": "",
        "coordinate": None,
        "open_berths": number,
        "state": LotState.PENDING,
        "create_ms": NOW,
    }
    return Lot(**(stated | facts))  # type: ignore[arg-type]


VENDOR = Vendor("vendor-1", "厂商", Role.VENDOR, 0, NOW)
GATE = Gate("lot-0001", "g1", "胜利路一号入口", (Lane("b", LaneDirection.ENTRY), Lane("a", LaneDirection.BOTH)))


async def add(store: Store, *facts: Lot | Gate | Vendor | Credential | Grant) -> None:
    async with store.writing(NOW, "platform", "admin") as writer:
        for fact in facts:
            match fact:
                case Lot():
                    await writer.add_lot(fact)
                case Gate():
                    await writer.add_gate(fact)
                case Vendor():
                    await writer.add_vendor(fact)
                case Credential():
                    await writer.add_credential(fact, secret_hash("secret"))
                case Grant():
                    await writer.set_grant(fact)


async def raw(reader: Reader, sql: str) -> Sequence[sa.Row[Any]]:
    """What the tables themselves hold."""
    return (await reader._connection.execute(sa.text(sql))).all()


async def test_what_is_stored_comes_back(store: Store) -> None:
    placed = lot(1, coordinate=Coordinate(25.431, 119.007, CoordinateSystem.GCJ02), address="胜利路 1 号")
    credential = Credential("client-1", "vendor-1", NOW, NOW + 1)
    grant = Grant("vendor-1", "lot-0001", NOW, NOW + 5)
    await add(store, VENDOR, placed, GATE, credential, grant)
    async with store.reading() as reader:
        assert await reader.lot("lot-0001") == placed
        assert await reader.gates("lot-0001", "", 10) == [GATE]
        assert await reader.vendor("vendor-1") == VENDOR
        assert await reader.credentials("vendor-1") == [credential]
        account = await reader.account("client-1")
        assert account is not None
        assert (account.credential, account.role, account.secret_hash) == (
            credential,
            Role.VENDOR,
            secret_hash("secret"),
        )
        assert await reader.grant("vendor-1", "lot-0001") == grant
        assert (await reader.page("", 0, 10)).facts == (VENDOR, placed, GATE, credential, grant)


async def test_what_is_not_there_is_none(store: Store) -> None:
    async with store.reading() as reader:
        assert await reader.lot("x") is None
        assert await reader.vendor("x") is None
        assert await reader.account("x") is None
        assert await reader.grant("x", "y") is None
        assert await reader.credentials("x") == []
        assert await reader.gates("x", "", 10) == []


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        (lot(2, registration_number="R1"), "registrationNumber"),
        (GATE, "gateId"),
        (Vendor("vendor-2", "厂商", Role.VENDOR, 0, NOW), "name"),
        (Credential("client-1", "vendor-1", NOW), "clientId"),
    ],
)
async def test_a_second_one_is_refused_and_nothing_of_its_transaction_is_kept(
    store: Store, fact: Lot | Gate | Vendor | Credential, field: str
) -> None:
    await add(store, VENDOR, lot(1), GATE, Credential("client-1", "vendor-1", NOW))
    with pytest.raises(AlreadyRegistered) as refused:
        await add(store, lot(3), fact)
    assert refused.value.metadata == {"field": field}
    async with store.reading() as reader:
        assert await reader.lot("lot-0003") is None
        assert (await reader.position())[1] == 4


async def test_each_change_is_numbered_and_the_old_value_is_kept(store: Store) -> None:
    await add(store, VENDOR, lot(1), Grant("vendor-1", "lot-0001", NOW))
    await add(store, Grant("vendor-1", "lot-0001", NOW, NOW + 1))
    async with store.reading() as reader:
        rows = await raw(
            reader,
            "SELECT revision, kind, fact, made_ms, made_by, made_with FROM changes"
            " WHERE key = 'vendor-1/lot-0001' ORDER BY revision",
        )
    assert [(row.revision, history.read(row.kind, row.fact)) for row in rows] == [
        (3, Grant("vendor-1", "lot-0001", NOW)),
        (4, Grant("vendor-1", "lot-0001", NOW, NOW + 1)),
    ]
    assert {(row.made_ms, row.made_by, row.made_with) for row in rows} == {(NOW, "platform", "admin")}


async def test_a_page_holds_each_fact_once_in_its_latest_form(store: Store) -> None:
    await add(store, VENDOR, lot(1), Grant("vendor-1", "lot-0001", NOW))
    await add(store, Grant("vendor-1", "lot-0001", NOW, NOW + 1))
    async with store.reading() as reader:
        epoch, revision = await reader.position()
        assert revision == 4
        everything = await reader.page("", 0, 10)
        assert everything.facts == (VENDOR, lot(1), Grant("vendor-1", "lot-0001", NOW, NOW + 1))
        assert (everything.epoch, everything.revision, everything.snapshot, everything.complete) == (
            epoch,
            4,
            True,
            True,
        )
        rest = await reader.page(epoch, 2, 10)
        assert (rest.facts, rest.snapshot) == ((Grant("vendor-1", "lot-0001", NOW, NOW + 1),), False)
        nothing = await reader.page(epoch, 4, 10)
        assert (nothing.facts, nothing.revision, nothing.complete) == ((), 4, True)


async def test_a_revision_of_another_epoch_or_ahead_begins_a_snapshot(store: Store) -> None:
    await add(store, VENDOR)
    async with store.reading() as reader:
        epoch, _ = await reader.position()
        assert (await reader.page("other", 1, 10)).snapshot
        assert (await reader.page(epoch, 2, 10)).snapshot
        assert (await reader.page(epoch, 2, 10)).facts == (VENDOR,)
        assert not (await reader.page(epoch, 1, 10)).snapshot


async def test_pages_lead_on_to_each_other(store: Store) -> None:
    lots = [lot(number) for number in range(7)]
    await add(store, *lots)
    seen: list[object] = []
    epoch, since, complete = "", 0, False
    async with store.reading() as reader:
        while not complete:
            page = await reader.page(epoch, since, 3)
            seen += page.facts
            epoch, since, complete = page.epoch, page.revision, page.complete
    assert seen == lots
    assert since == 7


async def test_watchers_that_read_amid_any_changes_end_up_with_the_truth(store: Store) -> None:
    chance = random.Random(20)
    keys = [(vendor, lot) for vendor in ("vendor-1", "vendor-2") for lot in ("lot-0001", "lot-0002", "lot-0003")]
    await add(store, VENDOR, replace(VENDOR, vendor_id="vendor-2", name="乙"), lot(1), lot(2), lot(3))
    for _ in range(6):
        epoch, since, known = "", 0, {}
        complete = False
        changes = chance.randrange(30)
        while changes or not complete:
            if changes and chance.random() < 0.6:
                changes, complete = changes - 1, False
                await add(store, Grant(*chance.choice(keys), NOW, NOW + chance.randrange(1, 1000)))
                continue
            async with store.reading() as reader:
                page = await reader.page(epoch, since, chance.randrange(1, 4))
            known.update({history.identity(fact): fact for fact in page.facts})
            assert page.revision >= since
            epoch, since, complete = page.epoch, page.revision, page.complete
        async with store.reading() as reader:
            truth = [await reader.grant(*key) for key in keys]
        assert [known.get(("grant", "/".join(key))) for key in keys] == truth


async def test_lots_are_listed_by_id_and_only_those_granted_now(store: Store) -> None:
    await add(store, VENDOR, *(lot(number) for number in (3, 1, 2, 4, 5)))
    await add(
        store,
        Grant("vendor-1", "lot-0001", NOW - 10, NOW),  # over
        Grant("vendor-1", "lot-0002", NOW, None),
        Grant("vendor-1", "lot-0003", NOW + 1, None),  # not yet
        Grant("vendor-1", "lot-0005", NOW, NOW + 1),
    )
    async with store.reading() as reader:
        assert [found.lot_id for found in await reader.lots("", 3)] == ["lot-0001", "lot-0002", "lot-0003"]
        assert [found.lot_id for found in await reader.lots("lot-0003", 3)] == ["lot-0004", "lot-0005"]
        granted = await reader.lots("", 9, granted_to="vendor-1", now_ms=NOW)
        assert [found.lot_id for found in granted] == ["lot-0002", "lot-0005"]
        for found, seen in (("lot-0001", False), ("lot-0002", True), ("lot-0003", False), ("lot-0004", False)):
            assert await reader.may_see("vendor-1", found, NOW) is seen


async def test_writers_of_two_stores_are_numbered_in_order_and_no_reader_skips_a_change(database_url: str) -> None:
    each = 25
    async with opened(database_url) as one, opened(database_url) as other, opened(database_url) as watching:

        async def write(store: Store, first: int) -> None:
            for number in range(first, first + each):
                await add(store, lot(number))

        async def watch() -> list[str]:
            seen: list[str] = []
            epoch, since = "", 0
            while len(seen) < 4 * each:
                async with watching.reading() as reader:
                    page = await reader.page(epoch, since, 5)
                seen += [fact.lot_id for fact in page.facts if isinstance(fact, Lot)]
                epoch, since = page.epoch, page.revision
            return seen

        watcher = asyncio.create_task(watch())
        await asyncio.gather(*(write(store, each * n) for n, store in enumerate((one, other, one, other))))
        seen = await watcher
        assert sorted(seen) == [f"lot-{number:04}" for number in range(4 * each)]
        async with one.reading() as reader:
            page = await reader.page("", 0, 1000)
            assert [fact.lot_id for fact in page.facts if isinstance(fact, Lot)] == seen
            assert page.revision == 4 * each


async def test_a_change_that_is_still_open_is_not_seen(store: Store, database_url: str) -> None:
    async with opened(database_url) as other, store.writing(NOW, "platform") as writer:
        await writer.add_vendor(VENDOR)
        async with other.reading() as reader:
            assert (await reader.page("", 0, 10)).facts == ()


class Adding:
    """A use case, for whoever hangs up amid it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @to_the_end
    async def lot(self, number: int) -> None:
        await add(self._store, lot(number))


async def test_callers_that_hang_up_leave_no_lock_behind(database_url: str) -> None:
    chance = random.Random(20)
    async with opened(database_url) as store:
        for number in range(40):
            call = asyncio.create_task(Adding(store).lot(number))
            await asyncio.sleep(chance.random() * 0.01)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
    # What was begun is done by the time that the store is closed, and others may write.
    async with opened(database_url) as store:
        await add(store, lot(99))
        async with store.reading() as reader:
            found = await reader.lots("", 100)
        assert lot(99) in found
        assert len(found) > 1


async def test_what_fails_after_its_caller_hung_up_fails_in_silence(store: Store) -> None:
    await add(store, lot(1))
    call = asyncio.create_task(Adding(store).lot(1))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(AlreadyRegistered):
        await Adding(store).lot(1)


async def test_listeners_are_called_after_a_change_and_only_then(store: Store) -> None:
    calls: list[int] = []
    store.subscribe(lambda: calls.append(1))
    async with store.writing(NOW, "platform"):
        pass
    assert calls == []
    await add(store, VENDOR)
    assert calls == [1]
    with pytest.raises(AlreadyRegistered):
        await add(store, lot(1), VENDOR)
    assert calls == [1]


async def test_a_database_keeps_its_epoch_and_several_may_open_it_at_once(database_url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stores = await asyncio.gather(*(stack.enter_async_context(opened(database_url)) for _ in range(3)))
        await add(stores[0], VENDOR)
        positions = set()
        for store in stores:
            async with store.reading() as reader:
                positions.add(await reader.position())
        assert len(positions) == 1
    async with opened(database_url) as again, again.reading() as reader:
        assert await reader.position() in positions


async def test_two_databases_have_two_epochs(tmp_path: pathlib.Path) -> None:
    epochs = set()
    for name in ("one", "two"):
        async with opened(f"sqlite:///{tmp_path}/{name}.db") as store, store.reading() as reader:
            epochs.add((await reader.position())[0])
    assert len(epochs) == 2


async def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StoreUnavailable):
        async with opened(f"postgresql://postgres@/postgres?host={tmp_path}"):
            pass


async def test_sqlite_is_set_to_lose_nothing(tmp_path: pathlib.Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/registry.db") as store, store.reading() as reader:
        for pragma, value in {"journal_mode": "delete", "synchronous": 2, "foreign_keys": 1}.items():
            assert (await raw(reader, f"PRAGMA {pragma}"))[0][0] == value


async def test_connections_that_postgresql_cut_are_made_anew(postgresql: str, new_postgresql_database: str) -> None:
    async with opened(new_postgresql_database) as store:
        await add(store, VENDOR)
        connection = await asyncpg.connect(postgresql)
        name = new_postgresql_database.rpartition("/registry_")[2].partition("?")[0]
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", f"registry_{name}"
        )
        await connection.close()
        async with store.reading() as reader:
            assert await reader.vendor("vendor-1") == VENDOR
