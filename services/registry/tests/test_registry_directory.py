"""The registry and the directories that watch it, together."""

import asyncio
import contextlib
import pathlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import pytest
from directory import Directory
from mesh.channels import open_channel
from mesh.testing import ManualClock, signer
from parkmesh.registry.v1 import (
    directory_service_pb2,
    gate_pb2,
    lot_pb2,
    registry_service_pb2,
    vendor_pb2,
    vendor_service_pb2,
)
from registry.storage.store import opened
from registry.testing import kept

Start = Callable[..., AbstractAsyncContextManager[Any]]
NEVER_S = 600.0


@contextlib.asynccontextmanager
async def watching(address: str) -> AsyncIterator[Directory]:
    """A directory of the registry there, synced; it waits for changes, however long they take."""
    clock = ManualClock()
    async with open_channel(address, signer=signer("access-records"), clock=clock) as channel:
        directory = Directory(channel, clock, silence_seconds=NEVER_S)
        task = asyncio.create_task(directory.run())
        try:
            async with asyncio.timeout(30):
                await directory.wait_synced()
            yield directory
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Waits until it is true; not of every change is a directory's listener told."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


async def create_lot(registry: Any, number: int) -> str:
    lot = lot_pb2.Lot(
        registration_number=f"PT-{number}",
        name="停车场",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        open_berths=number,
        state=lot_pb2.LOT_STATE_ACTIVE,
    )
    created = await registry.administrator.lots.CreateLot(registry_service_pb2.CreateLotRequest(lot=lot))
    return str(created.lot_id)


async def test_every_change_reaches_a_watcher(registry: Any) -> None:
    vendors, security = registry.administrator.vendors, registry.security.vendors
    async with watching(registry.server.address) as directory:
        lot_id = await create_lot(registry, 7)
        await until(lambda: directory.lot(lot_id) is not None)
        lot = directory.lot(lot_id)
        assert lot is not None
        assert (lot.name, lot.open_berths, lot.division_code, lot.active) == ("停车场", 7, "350302", True)
        assert not lot.gates

        gate = gate_pb2.Gate(
            gate_id="g1",
            name="胜利路一号入口",
            lanes=[gate_pb2.Lane(lane_id="1", direction=gate_pb2.LANE_DIRECTION_ENTRY)],
        )
        await registry.administrator.lots.CreateGate(registry_service_pb2.CreateGateRequest(lot_id=lot_id, gate=gate))
        await until(lambda: "g1" in getattr(directory.lot(lot_id), "gates", ()))
        lot = directory.lot(lot_id)
        assert lot is not None
        assert lot.lanes == {("g1", "1"): gate_pb2.LANE_DIRECTION_ENTRY}

        vendor = vendor_pb2.Vendor(name="厂商", requests_per_second=9)
        vendor_id = (await vendors.CreateVendor(vendor_service_pb2.CreateVendorRequest(vendor=vendor))).vendor_id
        await until(lambda: directory.vendor(vendor_id) is not None)
        assert getattr(directory.vendor(vendor_id), "requests_per_second", None) == 9

        now = registry.clock.now_ms()
        await security.GrantLot(vendor_service_pb2.GrantLotRequest(vendor_id=vendor_id, lot_id=lot_id))
        await until(lambda: directory.may_speak(vendor_id, lot_id, now))
        assert not directory.may_speak(vendor_id, lot_id, now - 1)
        assert not directory.may_speak("platform", lot_id, now)
        registry.clock.advance(5)
        await security.RevokeGrant(vendor_service_pb2.RevokeGrantRequest(vendor_id=vendor_id, lot_id=lot_id))
        await until(lambda: not directory.may_speak(vendor_id, lot_id, now + 5))
        assert directory.may_speak(vendor_id, lot_id, now + 4)

        rotated = await security.RotateCredential(vendor_service_pb2.RotateCredentialRequest(vendor_id=vendor_id))
        client_id = rotated.credential.client_id
        await until(lambda: directory.credential(client_id) is not None)
        assert directory.credential(client_id).good_at(now)  # type: ignore[union-attr]
        await security.RevokeCredential(
            vendor_service_pb2.RevokeCredentialRequest(vendor_id=vendor_id, client_id=client_id)
        )
        await until(lambda: not directory.credential(client_id).good_at(now))  # type: ignore[union-attr]


async def test_a_change_of_another_process_on_the_same_database_is_found_by_looking(start: Start) -> None:
    async with (
        start(sign_of_life_seconds=NEVER_S) as one,
        start() as other,
        watching(one.server.address) as directory,
    ):
        lot_id = await create_lot(other, 1)
        await until(lambda: directory.lot(lot_id) is not None)


async def test_a_change_of_the_same_process_waits_for_no_look(start: Start) -> None:
    async with (
        start(sign_of_life_seconds=NEVER_S, poll_seconds=NEVER_S) as registry,
        watching(registry.server.address) as directory,
    ):
        lot_id = await create_lot(registry, 1)
        await until(lambda: directory.lot(lot_id) is not None)


async def test_a_restarted_registry_is_followed_on_without_a_snapshot(start: Start) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with start() as registry:
            address = registry.server.address
            first = await create_lot(registry, 1)
            directory = await stack.enter_async_context(watching(address))
            before = directory.lot(first)
            epoch = directory.epoch
        assert directory.lot(first) is before
        async with start(listen=address) as registry:
            registry.server.mesh.ids.new("lot")  # they count from the start again
            second = await create_lot(registry, 2)
            await until(lambda: directory.lot(second) is not None)
            assert directory.lot(first) is before  # a snapshot would have made it anew
            assert directory.epoch == epoch
            assert directory.revision == 2


async def test_facts_of_a_replaced_database_take_the_place_of_the_old_ones(
    start: Start, tmp_path: pathlib.Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with start() as registry:
            address = registry.server.address
            for number in range(3):
                await create_lot(registry, number)
            directory = await stack.enter_async_context(watching(address))
            epoch = directory.epoch
            assert len(directory.lots()) == 3
        async with start(listen=address, database_url=f"sqlite:///{tmp_path}/new.db") as registry:
            await create_lot(registry, 9)
            await until(lambda: [lot.open_berths for lot in directory.lots()] == [9])
            assert directory.epoch != epoch
            assert directory.revision == 1


async def test_a_large_snapshot_comes_in_pages_and_changes_made_meanwhile_follow(start: Start) -> None:
    async with start() as registry:
        database_url = registry.server.mesh.settings.database_url
        async with opened(database_url) as store:
            numbers = range(4100)
            vendors = [vendor_pb2.Vendor(vendor_id=f"vendor-{n:04}", name=f"厂商 {n}") for n in numbers]
            await kept(store, 0, *vendors)
        expected = {f"vendor-{number:04}" for number in numbers}
        seen: set[str] = set()
        pages: list[directory_service_pb2.WatchDirectoryResponse] = []
        watch = directory_service_pb2.WatchDirectoryRequest()
        call = registry.service("access-records").directory.WatchDirectory(watch)
        async with asyncio.timeout(30):
            while seen != expected:
                pages.append(await call.read())
                seen.update(change.vendor.vendor_id for change in pages[-1].changes)
                if len(pages) <= 3:
                    vendor = vendor_pb2.Vendor(name=f"新厂商 {len(pages)}")
                    create = vendor_service_pb2.CreateVendorRequest(vendor=vendor)
                    expected.add((await registry.administrator.vendors.CreateVendor(create)).vendor_id)
        call.cancel()
        assert [len(page.changes) for page in pages[:2]] == [2000, 2000]
        assert [page.snapshot for page in pages] == [True] + [False] * (len(pages) - 1)
        assert not any(page.synced for page in pages[:2])
        assert pages[-1].synced


async def test_directories_that_start_amid_changes_end_up_equal(registry: Any) -> None:
    async def change() -> None:
        for number in range(40):
            await create_lot(registry, number)

    changing = asyncio.create_task(change())
    async with contextlib.AsyncExitStack() as stack:
        directories = []
        for _ in range(4):
            directories.append(await stack.enter_async_context(watching(registry.server.address)))
            await asyncio.sleep(0.02)
        await changing
        for directory in directories:
            await until(lambda directory=directory: len(directory.lots()) == 40)  # type: ignore[misc]
        known = [{lot.lot_id: lot for lot in directory.lots()} for directory in directories]
        assert all(facts == known[0] for facts in known)


async def test_a_sign_of_life_comes_without_changes(start: Start) -> None:
    async with start(sign_of_life_seconds=0.01) as registry:
        call = registry.service("risk-control").directory.WatchDirectory(directory_service_pb2.WatchDirectoryRequest())
        pages = [await call.read() for _ in range(3)]
        call.cancel()
        assert [page.synced for page in pages] == [True, True, True]
        assert [page.snapshot for page in pages] == [True, False, False]


async def test_watchers_do_not_hold_up_the_end(start: Start) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.timeout(30):
            async with start(drain_seconds=NEVER_S, sign_of_life_seconds=NEVER_S) as registry:
                await stack.enter_async_context(watching(registry.server.address))


async def test_only_services_watch(registry: Any) -> None:
    for client in (registry.administrator, registry.vendor("vendor-1"), registry.anybody):
        call = client.directory.WatchDirectory(directory_service_pb2.WatchDirectoryRequest())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call.read()
        assert refused.value.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)
