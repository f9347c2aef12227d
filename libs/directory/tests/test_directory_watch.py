"""A directory that watches: from snapshots through changes, and without the registry."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from directory import Change, Directory, DirectoryUnavailable
from directory.testing import (
    StatedRegistry,
    account,
    berth,
    credential,
    device,
    gate,
    grant,
    lot,
    operator,
    rule,
    vendor,
)
from mesh.caller import Caller, CallerKind
from mesh.channels import open_channel
from mesh.server import Mesh
from mesh.settings import BaseSettings
from mesh.testing import ManualClock, Running, running, signer
from parkmesh.errors.v1 import error_reason_pb2
from parkmesh.registry.v1 import (
    change_service_pb2,
    directory_service_pb2,
    directory_service_pb2_grpc,
    gate_pb2,
    lot_pb2,
    role_pb2,
    rule_pb2,
)

WATCHER = Caller(CallerKind.SERVICE, "access-records")


@contextlib.asynccontextmanager
async def serving(servicer: Any, listen: str = "127.0.0.1:0") -> AsyncIterator[Running]:
    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(directory_service_pb2_grpc.add_DirectoryServiceServicer_to_server, servicer)

    settings = BaseSettings(listen=listen, drain_seconds=0.0)
    async with running(bind, settings, name="registry", clock=ManualClock()) as server:
        yield server


@contextlib.asynccontextmanager
async def started(directory: Directory) -> AsyncIterator[Directory]:
    task = asyncio.create_task(directory.run())
    try:
        yield directory
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def watching(server: Running, **told: Any) -> AsyncIterator[Directory]:
    async with started(Directory(server.channel(WATCHER), ManualClock(), **told)) as directory:
        async with asyncio.timeout(30):
            await directory.wait_synced()
        yield directory


async def until(directory: Directory, true: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    end = directory.subscribe(lambda _: changed.set())
    try:
        async with asyncio.timeout(30):
            while not true():
                await changed.wait()
                changed.clear()
    finally:
        end()


async def test_it_answers_from_what_the_registry_stated() -> None:
    registry = StatedRegistry(
        lot("lot-1"),
        gate("lot-1", "g1", a=gate_pb2.LANE_DIRECTION_ENTRY),
        vendor("vendor-1"),
        credential("client-1", "vendor-1"),
        grant("vendor-1", "lot-1", start_ms=10, end_ms=20),
    )
    async with serving(registry) as server, watching(server) as directory:
        found = directory.lot("lot-1")
        assert found is not None
        assert found.lanes == {("g1", "a"): gate_pb2.LANE_DIRECTION_ENTRY}
        assert list(directory.lots()) == [found]
        assert directory.vendor("vendor-1") is not None
        assert directory.credential("client-1") is not None
        for nobody in (directory.lot("x"), directory.vendor("x"), directory.credential("x")):
            assert nobody is None
        asked = [(at, directory.may_speak("vendor-1", "lot-1", at)) for at in (9, 10, 19, 20)]
        assert asked == [(9, False), (10, True), (19, True), (20, False)]
        assert not directory.may_speak("vendor-1", "lot-2", 10)
        assert not directory.may_speak("vendor-2", "lot-1", 10)
        assert (directory.epoch, directory.revision, directory.synced) == ("epoch-1", 5, True)


async def test_a_change_is_followed_and_told_once_it_can_be_looked_up() -> None:
    registry = StatedRegistry(lot("lot-1"))
    async with serving(registry) as server, watching(server) as directory:
        told: list[tuple[Change, object]] = []
        directory.subscribe(lambda change: told.append((change, directory.lot("lot-1"))))
        before = directory.lot("lot-1")
        registry.state(lot("lot-1", open_berths=7))
        await until(directory, lambda: bool(told))
        after = directory.lot("lot-1")
        assert after is not None
        assert after.open_berths == 7
        assert told == [(Change(before, after), after)]


async def test_the_first_snapshot_comes_as_changes_too_and_a_failing_listener_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(StatedRegistry(lot("lot-1"), vendor("vendor-1"))) as server:
        directory = Directory(server.channel(WATCHER), ManualClock())
        told: list[Change] = []

        def fail(_: Change) -> None:
            raise ValueError("on purpose")

        directory.subscribe(fail)
        directory.subscribe(told.append)
        async with started(directory), asyncio.timeout(30):
            await directory.wait_synced()
        assert {type(change.after).__name__ for change in told} == {"LotFacts", "VendorFacts"}
        assert all(change.before is None for change in told)
        assert [record.message for record in caplog.records].count("a listener of the directory failed") == 2


async def test_a_listener_that_left_hears_nothing() -> None:
    registry = StatedRegistry()
    async with serving(registry) as server, watching(server) as directory:
        told: list[Change] = []
        directory.subscribe(told.append)()
        registry.state(lot("lot-1"))
        await until(directory, lambda: directory.lot("lot-1") is not None)
        assert told == []


async def test_it_goes_on_where_it_was_when_the_registry_comes_back() -> None:
    registry = StatedRegistry(lot("lot-1"))
    async with contextlib.AsyncExitStack() as stack:
        async with serving(registry) as server:
            address = server.address
            clock = ManualClock()
            channel = open_channel(address, signer=signer("access-records"), clock=clock)
            stack.push_async_callback(channel.close)
            directory = await stack.enter_async_context(started(Directory(channel, clock)))
            await directory.wait_synced()
            first = directory.lot("lot-1")
        assert directory.lot("lot-1") is first
        registry.state(lot("lot-2"))
        async with serving(registry, address):
            await until(directory, lambda: directory.lot("lot-2") is not None)
            assert directory.lot("lot-1") is first  # a snapshot would have made it anew


async def test_a_new_epoch_replaces_everything_at_once() -> None:
    old = StatedRegistry(lot("lot-1"), vendor("vendor-1"), grant("vendor-1", "lot-1"))
    new = StatedRegistry(lot("lot-2"), vendor("vendor-1"), epoch="epoch-2")
    async with contextlib.AsyncExitStack() as stack:
        async with serving(old) as server:
            address = server.address
            clock = ManualClock()
            channel = open_channel(address, signer=signer("access-records"), clock=clock)
            stack.push_async_callback(channel.close)
            directory = await stack.enter_async_context(started(Directory(channel, clock)))
            await directory.wait_synced()
        told: list[Change] = []
        directory.subscribe(told.append)
        async with serving(new, address):
            await until(directory, lambda: directory.epoch == "epoch-2")
        assert [lot.lot_id for lot in directory.lots()] == ["lot-2"]
        assert not directory.may_speak("vendor-1", "lot-1", 5)
        assert directory.vendor("vendor-1") is not None
        assert directory.revision == 2
        gone = [change.before for change in told if change.after is None]
        assert [type(fact).__name__ for fact in gone] == ["LotFacts", "GrantFacts"]
        assert [change.after for change in told if change.before is None] == [directory.lot("lot-2")]


async def test_of_the_rules_in_force_the_one_that_began_last_counts() -> None:
    hours, pattern = rule_pb2.RULE_NAME_STATIC_CHANGE_REPORT_HOURS, rule_pb2.RULE_NAME_BERTH_CODE_PATTERN
    registry = StatedRegistry(
        rule("rule-1", hours, number=48),
        rule("rule-3", hours, number=24, start_ms=100, end_ms=200),
        rule("rule-2", hours, number=72, start_ms=150, end_ms=160),
        rule("rule-4", pattern, text="[0-9]{6}", start_ms=50),
    )
    async with serving(registry) as server, watching(server) as directory:
        found = [directory.rule(hours, at) for at in (0, 99, 100, 150, 159, 160, 199, 200)]
        assert [one and one.number for one in found] == [48, 48, 24, 72, 72, 24, 24, 48]
        assert [directory.rule(pattern, at) is None for at in (49, 50)] == [True, False]
        assert directory.rule(rule_pb2.RULE_NAME_LOT_SILENT_AFTER_HOURS, 0) is None
        registry.state(rule("rule-1", hours, number=36))
        await until(directory, lambda: getattr(directory.rule(hours, 0), "number", None) == 36)


async def test_rights_follow_what_the_registry_states() -> None:
    registry = StatedRegistry(
        lot("lot-1", operator_id="operator-1"),
        operator("operator-1"),
        account("account-1", role_pb2.ROLE_COLLECTOR, "lot-1"),
        credential("client-1", "account-1", role=role_pb2.ROLE_COLLECTOR, account_id="account-1"),
    )
    collector = Caller(CallerKind.COLLECTOR, "account-1", "client-1", "account-1")
    boss = Caller(CallerKind.OPERATOR, "operator-1", "client-2", "account-2")
    async with serving(registry) as server, watching(server) as directory:
        assert directory.may_report(collector, "lot-1", 0)
        assert [directory.may_see(who, "lot-1", 0) for who in (collector, boss)] == [True, True]
        assert not directory.may_report(boss, "lot-1", 0)
        assert directory.operator("operator-1") is not None
        assert directory.good_credential("client-1", 0) is directory.credential("client-1")
        registry.state(
            account("account-1", role_pb2.ROLE_COLLECTOR, "lot-1", active=False), lot("lot-1", operator_id="operator-2")
        )
        await until(directory, lambda: not directory.may_see(boss, "lot-1", 0))
        assert not directory.may_report(collector, "lot-1", 0)
        assert directory.good_credential("client-1", 0) is None
        assert directory.account("account-1") is not None


async def test_a_service_chooses_the_kinds_of_facts_it_wants() -> None:
    registry = StatedRegistry(
        berth("lot-1", "b1"),
        device("lot-1", "d1"),
        gate("lot-1", "g1", a=gate_pb2.LANE_DIRECTION_ENTRY),
        vendor("vendor-1"),
        lot("lot-1"),
    )
    async with serving(registry) as server:
        kinds = [change_service_pb2.FACT_KIND_LOT, change_service_pb2.FACT_KIND_BERTH]
        async with watching(server, kinds=kinds) as directory:
            found = directory.lot("lot-1")
            assert found is not None
            assert (found.berths, found.devices, found.gates) == ({"b1"}, set(), set())
            assert directory.vendor("vendor-1") is None
            registry.state(vendor("vendor-2"), berth("lot-1", "b2"), lot("lot-2"))
            await until(directory, lambda: directory.lot("lot-2") is not None)
            assert found.berths == {"b1", "b2"}
            assert directory.vendor("vendor-2") is None


async def test_a_new_epoch_brings_what_stands_in_a_lot_anew() -> None:
    old = StatedRegistry(lot("lot-1"), berth("lot-1", "b1"), berth("lot-1", "b2"))
    new = StatedRegistry(lot("lot-1"), berth("lot-1", "b1"), lot("lot-2"), epoch="epoch-2")
    async with contextlib.AsyncExitStack() as stack:
        async with serving(old) as server:
            address = server.address
            clock = ManualClock()
            channel = open_channel(address, signer=signer("access-records"), clock=clock)
            stack.push_async_callback(channel.close)
            directory = await stack.enter_async_context(started(Directory(channel, clock)))
            await directory.wait_synced()
        async with serving(new, address):
            await until(directory, lambda: directory.epoch == "epoch-2")
        assert directory.lot("lot-1").berths == {"b1"}  # type: ignore[union-attr]


class Scripted(directory_service_pb2_grpc.DirectoryServiceServicer):
    """Gives one watch after the other the pages that the test wrote for it; the last one then stays open."""

    def __init__(self, *watches: list[directory_service_pb2.WatchDirectoryResponse]) -> None:
        self._watches = watches
        self.asked: list[tuple[str, int]] = []
        self.before_last = asyncio.Event()
        self.go_on = asyncio.Event()

    async def WatchDirectory(
        self, request: directory_service_pb2.WatchDirectoryRequest, context: Any
    ) -> AsyncIterator[directory_service_pb2.WatchDirectoryResponse]:
        self.asked.append((request.epoch, request.since_revision))
        is_last = len(self.asked) == len(self._watches)
        if is_last:
            self.before_last.set()
            await self.go_on.wait()
        for page in self._watches[len(self.asked) - 1]:
            yield page
        if is_last:
            await asyncio.Event().wait()


def page(*facts: lot_pb2.Lot, **told: Any) -> directory_service_pb2.WatchDirectoryResponse:
    changes = [directory_service_pb2.DirectoryChange(lot=fact) for fact in facts]
    return directory_service_pb2.WatchDirectoryResponse(changes=changes, **told)


async def test_half_a_snapshot_is_not_seen_and_one_that_was_cut_off_begins_anew() -> None:
    first = page(lot("lot-1"), epoch="e", revision=1, snapshot=True)
    registry = Scripted(
        [page(lot("lot-9"), epoch="e", revision=1, snapshot=True)],
        [first, page(lot("lot-2"), epoch="e", revision=2, synced=True)],
    )
    async with serving(registry) as server, started(Directory(server.channel(WATCHER), ManualClock())) as directory:
        async with asyncio.timeout(30):
            await registry.before_last.wait()
            assert not directory.synced
            assert directory.lot("lot-9") is None
            registry.go_on.set()
            await directory.wait_synced()
        assert {lot.lot_id for lot in directory.lots()} == {"lot-1", "lot-2"}
        assert registry.asked == [("", 0), ("", 0)]


async def test_a_snapshot_that_was_cut_off_is_forgotten_when_the_old_registry_answers_again() -> None:
    registry = Scripted(
        [page(lot("lot-1"), epoch="old", revision=1, snapshot=True, synced=True)],
        [page(lot("lot-9"), epoch="new", revision=1, snapshot=True)],
        [page(lot("lot-2"), epoch="old", revision=2, synced=True)],
    )
    async with serving(registry) as server, started(Directory(server.channel(WATCHER), ManualClock())) as directory:
        registry.go_on.set()
        await until(directory, lambda: directory.revision == 2)
        assert {lot.lot_id for lot in directory.lots()} == {"lot-1", "lot-2"}
        assert registry.asked == [("", 0), ("old", 1), ("old", 1)]


class Silence(StatedRegistry):
    """Says what it knows, and then nothing at all."""

    calls = 0

    async def WatchDirectory(self, request: Any, context: Any) -> Any:
        self.calls += 1
        async for page in super().WatchDirectory(request, context):
            yield page
            await asyncio.Event().wait()


async def test_a_silent_watch_is_begun_anew() -> None:
    registry = Silence(lot("lot-1"))
    async with serving(registry) as server, watching(server, silence_seconds=0.2) as directory:
        registry.state(lot("lot-2"))
        await until(directory, lambda: directory.lot("lot-2") is not None)
        assert registry.calls > 1


async def test_it_says_when_its_facts_are_missing_or_too_old() -> None:
    registry = StatedRegistry(lot("lot-1"))
    async with serving(registry) as server:
        clock = ManualClock()
        directory = Directory(server.channel(WATCHER), clock, max_age_ms=5000)
        now = clock.now_ms()
        assert directory.age_ms(now) is None
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.require_fresh(now)
        assert refused.value.reason == error_reason_pb2.ERROR_REASON_DIRECTORY_UNAVAILABLE
        assert refused.value.retry_after_ms
        async with started(directory), asyncio.timeout(30):
            await directory.wait_synced()
        assert directory.age_ms(now) == 0
        directory.require_fresh(now + 5000)
        assert directory.lot("lot-1") is not None
        with pytest.raises(DirectoryUnavailable):
            directory.require_fresh(now + 5001)
        assert directory.lot("lot-1") is not None


async def test_it_waits_for_a_registry_that_is_not_there_yet(unused_tcp_port_factory: Callable[[], int]) -> None:
    address = f"127.0.0.1:{unused_tcp_port_factory()}"
    clock = ManualClock()
    async with (
        open_channel(address, signer=signer("access-records"), clock=clock) as channel,
        started(Directory(channel, clock)) as directory,
    ):
        await asyncio.sleep(0.05)
        assert not directory.synced
        async with serving(StatedRegistry(lot("lot-1")), address), asyncio.timeout(30):
            await directory.wait_synced()
        assert directory.lot("lot-1") is not None
