"""The directory's source: a snapshot, then every change, whoever made it."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from mesh.instants import time_of
from mesh.testing import ManualClock
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.vendor_pb2 import Credential, Grant, Vendor
from registry.history.feed import Feed
from registry.storage.kinds import BY_NAME, GRANT
from registry.storage.reader import Page
from registry.storage.store import Store, opened
from registry.testing import a_berth, a_gate, a_lot, kept

NOW = 4_102_444_800_000
NEVER_S = 600.0
VENDOR_1 = Vendor(vendor_id="vendor-1", name="厂商")


def lot(number: int, **stated: Any) -> Lot:
    return a_lot(number, lot_id=f"lot-{number:04}", **stated)


def grant(vendor_id: str, lot_id: str, end_ms: int | None = None) -> Grant:
    end = None if end_ms is None else time_of(end_ms)
    return Grant(vendor_id=vendor_id, lot_id=lot_id, start_time=time_of(NOW), end_time=end)


def feed_of(store: Store, clock: ManualClock | None = None, *, draining: asyncio.Event | None = None) -> Feed:
    told = {"poll_seconds": 0.01, "sign_of_life_seconds": NEVER_S}
    return Feed(store, clock or ManualClock(NOW), draining=draining or asyncio.Event(), **told)


def facts_of(page: Page) -> list[Any]:
    return [BY_NAME[kind].message.FromString(body) for kind, body in page.facts]


@contextlib.asynccontextmanager
async def watched(feed: Feed, *args: Any) -> AsyncIterator[AsyncGenerator[Page, None]]:
    pages = feed.watch(*args)
    async with asyncio.timeout(30), contextlib.aclosing(pages):
        yield pages


async def test_a_page_holds_each_object_once_in_its_latest_form(store: Store) -> None:
    await kept(store, NOW, VENDOR_1, lot(1), grant("vendor-1", "lot-0001"))
    await kept(store, NOW, grant("vendor-1", "lot-0001", NOW + 1))
    async with store.reading() as facts:
        epoch, revision = await facts.position()
        assert revision == 4
        everything = await facts.page("", 0, 10)
        ended = grant("vendor-1", "lot-0001", NOW + 1)
        assert facts_of(everything) == [VENDOR_1, lot(1), ended]
        assert (everything.epoch, everything.revision) == (epoch, 4)
        assert everything.snapshot
        assert everything.complete
        rest = await facts.page(epoch, 2, 10)
        assert (facts_of(rest), rest.snapshot) == ([ended], False)
        nothing = await facts.page(epoch, 4, 10)
        assert (nothing.facts, nothing.revision, nothing.complete) == ((), 4, True)


async def test_a_revision_of_another_epoch_or_ahead_begins_a_snapshot(store: Store) -> None:
    await kept(store, NOW, VENDOR_1)
    async with store.reading() as facts:
        epoch, _ = await facts.position()
        assert (await facts.page("other", 1, 10)).snapshot
        assert (await facts.page(epoch, 2, 10)).snapshot
        assert facts_of(await facts.page(epoch, 2, 10)) == [VENDOR_1]
        assert not (await facts.page(epoch, 1, 10)).snapshot


async def test_pages_lead_on_to_each_other_also_of_some_kinds(store: Store) -> None:
    lots = [lot(number) for number in range(7)]
    await kept(store, NOW, *lots, VENDOR_1, *(a_gate(f"g{number}", lot_id="lot-0001") for number in range(5)))
    for kinds, count in (((), 13), (("lot",), 7), (("gate", "vendor"), 6), (("device",), 0)):
        seen: list[Any] = []
        epoch, since, complete, snapshots = "", 0, False, []
        async with store.reading() as facts:
            while not complete:
                page = await facts.page(epoch, since, 3, kinds)
                seen += facts_of(page)
                snapshots.append(page.snapshot)
                epoch, since, complete = page.epoch, page.revision, page.complete
        assert len(seen) == count
        assert {BY_NAME[kind].message for kind in kinds} >= ({type(each) for each in seen} if kinds else set())
        assert snapshots == [True] + [False] * (len(snapshots) - 1)
        assert since == 13


async def test_a_snapshot_leaves_out_credentials_that_are_over_and_a_change_tells_of_them(store: Store) -> None:
    credentials = [
        Credential(client_id="good", subject_id="vendor-1", expire_time=time_of(NOW + 1)),
        Credential(client_id="expired", subject_id="vendor-1", expire_time=time_of(NOW)),
        Credential(client_id="revoked", subject_id="vendor-1", revoked=True),
    ]
    await kept(store, NOW, *credentials)
    async with watched(feed_of(store), "", 0) as pages:
        first = await anext(pages)
        assert [each.client_id for each in facts_of(first)] == ["good"]
        credentials[0].revoked = True
        await kept(store, NOW, credentials[0])
        assert facts_of(await anext(pages)) == [credentials[0]]
    async with watched(feed_of(store), first.epoch, 0) as pages:
        assert len(facts_of(await anext(pages))) == 3


async def test_a_snapshot_of_several_pages_leaves_them_out_on_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.history.feed._FACTS_PER_PAGE", 2)
    await kept(
        store, NOW, *(Credential(client_id=f"c{n}", subject_id="v", revoked=bool(n % 2)) for n in range(9)), VENDOR_1
    )
    seen: list[Any] = []
    async with watched(feed_of(store), "", 0) as pages:
        async for page in pages:
            seen += facts_of(page)
            if page.complete:
                break
    assert [each.client_id for each in seen[:-1]] == ["c0", "c2", "c4", "c6", "c8"]
    assert seen[-1] == VENDOR_1


async def test_a_watch_goes_on_where_it_was(store: Store) -> None:
    await kept(store, NOW, lot(1))
    async with watched(feed_of(store), "", 0) as pages:
        first = await anext(pages)
    await kept(store, NOW, lot(2))
    async with watched(feed_of(store), first.epoch, first.revision) as pages:
        page = await anext(pages)
        assert (facts_of(page), page.snapshot, page.complete) == ([lot(2)], False, True)


async def test_a_watch_of_some_kinds_is_not_told_of_others(store: Store) -> None:
    await kept(store, NOW, lot(1), VENDOR_1)
    async with watched(feed_of(store), "", 0, ("lot",)) as pages:
        assert facts_of(await anext(pages)) == [lot(1)]
        await kept(store, NOW, a_berth(lot_id="lot-0001"))
        page = await anext(pages)
        assert (page.facts, page.revision, page.complete) == ((), 3, True)
        await kept(store, NOW, lot(2))
        assert facts_of(await anext(pages)) == [lot(2)]


async def test_changes_of_another_process_are_found_by_looking(database_url: str) -> None:
    async with opened(database_url) as one, opened(database_url) as other:
        feed = feed_of(one)
        looking = asyncio.create_task(feed.run())
        try:
            async with watched(feed, "", 0) as pages:
                await anext(pages)
                for number in range(5):
                    await kept(other, NOW, lot(number))
                    seen: list[Any] = []
                    while lot(number) not in seen:
                        seen += facts_of(await anext(pages))
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def test_a_watch_ends_when_the_server_does(store: Store) -> None:
    draining = asyncio.Event()
    async with watched(feed_of(store, draining=draining), "", 0) as pages:
        await anext(pages)
        waiting = asyncio.ensure_future(anext(pages, None))
        await asyncio.sleep(0)
        draining.set()
        assert await waiting is None


async def test_watchers_that_read_amid_any_changes_end_up_with_the_truth(store: Store) -> None:
    chance = random.Random(20)
    keys = [(vendor, lot_id) for vendor in ("vendor-1", "vendor-2") for lot_id in ("lot-0001", "lot-0002", "lot-0003")]
    for _ in range(4):
        epoch, since, known = "", 0, dict[str, Any]()
        complete = False
        changes = chance.randrange(25)
        while changes or not complete:
            if changes and chance.random() < 0.6:
                changes, complete = changes - 1, False
                await kept(store, NOW, grant(*chance.choice(keys), NOW + chance.randrange(1, 1000)))
                continue
            async with store.reading() as facts:
                page = await facts.page(epoch, since, chance.randrange(1, 4), ("grant",))
            known |= {GRANT.key(each): each for each in facts_of(page)}
            assert page.revision >= since
            epoch, since, complete = page.epoch, page.revision, page.complete
        async with store.reading() as facts:
            truth = [await facts.held(GRANT, "/".join(key)) for key in keys]
        assert [known.get("/".join(key)) for key in keys] == truth


async def test_listeners_are_called_after_a_change_and_only_then(store: Store) -> None:
    calls: list[int] = []
    store.subscribe(lambda: calls.append(1))
    await kept(store, NOW)
    assert calls == []
    await kept(store, NOW, lot(1))
    assert calls == [1]
    await kept(store, NOW, lot(1))
    assert calls == [1]
