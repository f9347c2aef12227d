"""Which lots report and which do not, over a real log, a real history and a real directory."""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import clickhouse_connect
import grpc
import pytest
from access_records.archive import Archive
from access_records.coverage.coverage import judged
from access_records.coverage.hearing import Hearing
from access_records.coverage.speakers import Speakers
from access_records.progress import Progress
from access_records.testing import NOW_MS, VENDOR, Platform, entry
from directory import FOREVER, AccountFacts, Change, CredentialFacts, GrantFacts
from directory.testing import grant, lot, rule
from eventlog import EventLog, Item, item_key
from eventlog.server import running
from history.client import Account, HistoryClient
from mesh import paging
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as records
from parkmesh.access.v1 import coverage_service_pb2 as messages
from parkmesh.access.v1.coverage_service_pb2_grpc import CoverageServiceStub
from parkmesh.registry.v1 import lot_pb2, rule_pb2, vendor_pb2

HOUR_MS = 3_600_000
NOT_CONNECTED = messages.COVERAGE_STATE_NOT_CONNECTED
NEVER_REPORTED = messages.COVERAGE_STATE_NEVER_REPORTED
SILENT = messages.COVERAGE_STATE_SILENT
REPORTING = messages.COVERAGE_STATE_REPORTING
SUPERVISOR = Caller(CallerKind.SUPERVISOR, "police", "client-s", "account-s")
_towns = itertools.count(41)


class Town:
    """A division of a test's own, with lots of its own."""

    def __init__(self, access: Platform) -> None:
        self.access = access
        self.code = f"{next(_towns)}0101"
        self.owner = clickhouse_connect.get_client(**access.history.connect("owner"))

    def lot(self, which: str, **facts: Any) -> lot_pb2.Lot:
        return lot(self.id(which), **({"division_code": self.code} | facts))

    def id(self, name: str) -> str:
        return f"lot_{self.code}-{name}"

    def connected(self, *names: str) -> list[Any]:
        """Lots that VENDOR may speak for."""
        return [fact for name in names for fact in (self.lot(name), grant(VENDOR, self.id(name)))]

    async def state(self, *facts: Any) -> None:
        """Makes the facts known and waits until the service knows them."""
        mark = lot(f"mark-{self.access.registry.state(*facts)}", division_code="990101")
        self.access.registry.state(mark)
        async with asyncio.timeout(10):
            while mark.lot_id not in await self.ids(division_code="990101"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def heard(self, name: str, ago_ms: int, *, revision: int = 0) -> None:
        """Puts a record into the history that was accepted so long ago; at most an hour, or nobody looks there."""
        accepted_ms = self.access.clock.now_ms() - ago_ms
        self.owner.command(
            "INSERT INTO store.record_revisions (lot_id, record_id, revision, event_time, accept_time) VALUES"
            f" ('{self.id(name)}', 'r-{accepted_ms}', {revision}, {accepted_ms / 1000:.3f}, {accepted_ms / 1000:.3f})"
        )

    async def page(self, caller: Caller = SUPERVISOR, **asked: Any) -> messages.ListLotCoverageResponse:
        stub = CoverageServiceStub(self.access.service.channel(caller))
        stated: dict[str, Any] = {"division_code": self.code, "page_size": 1000}
        return await stub.ListLotCoverage(messages.ListLotCoverageRequest(**(stated | asked)))

    async def ids(self, caller: Caller = SUPERVISOR, **asked: Any) -> list[str]:
        return [one.lot_id for one in (await self.page(caller, **asked)).lots]

    async def names(self, caller: Caller = SUPERVISOR, **asked: Any) -> list[str]:
        return [lot_id.removeprefix(self.id("")) for lot_id in await self.ids(caller, **asked)]

    async def one(self, name: str, **asked: Any) -> messages.LotCoverage:
        (found,) = (one for one in (await self.page(**asked)).lots if one.lot_id == self.id(name))
        return found


@pytest.fixture
def town(access: Platform) -> Town:
    return Town(access)


async def test_every_state_is_told_apart(town: Town) -> None:
    await town.state(town.lot("alone"), *town.connected("never", "quiet", "talking"))
    town.heard("quiet", HOUR_MS)
    town.heard("talking", HOUR_MS - 1)
    answer = await town.page(silent_after_hours=1)
    states = {one.lot_id.removeprefix(town.id("")): one.coverage_state for one in answer.lots}
    assert states == {"alone": NOT_CONNECTED, "never": NEVER_REPORTED, "quiet": SILENT, "talking": REPORTING}
    assert answer.silent_after_hours == 1
    assert answer.as_of_time.ToMilliseconds() == town.access.clock.now_ms()


async def test_a_lot_comes_with_its_facts_and_when_it_was_heard(town: Town) -> None:
    facts = {"name": "文献路停车场", "state": lot_pb2.LOT_STATE_SUSPENDED}
    await town.state(town.lot("a", **facts), grant(VENDOR, town.id("a")), grant("vendor-2", town.id("a")))
    never = await town.one("a")
    assert not never.HasField("last_accept_time")
    assert not never.HasField("age_seconds")
    town.heard("a", 90_500)
    found = await town.one("a")
    assert (found.name, found.division_code, found.lot_state) == (
        "文献路停车场",
        town.code,
        lot_pb2.LOT_STATE_SUSPENDED,
    )
    assert (found.granted_vendors, found.age_seconds, found.coverage_state) == (2, 90, REPORTING)
    assert found.last_accept_time.ToMilliseconds() == town.access.clock.now_ms() - 90_500


async def test_an_upload_ends_the_silence(town: Town) -> None:
    await town.state(*town.connected("a"))
    assert (await town.one("a")).coverage_state == NEVER_REPORTED
    sent = entry("first", ms=town.access.clock.now_ms() - 50 * HOUR_MS, lot_id=town.id("a"))
    assert (await town.access.stub().UploadRecords(records.UploadRecordsRequest(records=[sent]))).all_stored
    async with asyncio.timeout(10):
        while (found := await town.one("a")).coverage_state != REPORTING:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    # It counts when it came, however old what it tells of.
    assert found.age_seconds == 0


async def test_a_correction_is_no_sign_of_life(town: Town) -> None:
    await town.state(*town.connected("a"))
    town.heard("a", HOUR_MS)
    town.heard("a", 1000, revision=1)
    assert (await town.one("a", silent_after_hours=1)).coverage_state == SILENT


async def test_a_grant_that_has_ended_connects_nobody(town: Town) -> None:
    now_ms = town.access.clock.now_ms()
    await town.state(
        *town.connected("now"),
        *(town.lot("past"), grant(VENDOR, town.id("past"), end_ms=now_ms)),
        *(town.lot("future"), grant(VENDOR, town.id("future"), start_ms=now_ms + 1000)),
    )
    town.heard("past", 1000)
    assert await town.names(coverage_states=[NOT_CONNECTED]) == ["future", "past"]
    past = await town.one("past")
    assert (past.granted_vendors, past.HasField("last_accept_time")) == (0, True)


async def test_the_threshold_is_the_requests_then_the_rules_then_the_settings(town: Town) -> None:
    await town.state(*town.connected("a"))
    town.heard("a", HOUR_MS)
    answer = await town.page()
    assert (answer.silent_after_hours, answer.lots[0].coverage_state) == (24, REPORTING)
    silent_after = rule_pb2.RULE_NAME_LOT_SILENT_AFTER_HOURS
    await town.state(rule(f"rule-{town.code}", silent_after, number=1))
    try:
        answer = await town.page()
        assert (answer.silent_after_hours, answer.lots[0].coverage_state) == (1, SILENT)
        answer = await town.page(silent_after_hours=2)
        assert (answer.silent_after_hours, answer.lots[0].coverage_state) == (2, REPORTING)
    finally:
        await town.state(rule(f"rule-{town.code}", silent_after, number=1, end_ms=1))
    assert (await town.page()).silent_after_hours == 24


async def test_lots_are_filtered_by_state_division_and_scope(town: Town) -> None:
    lot_state = lot_pb2.LotState
    await town.state(
        town.lot("active"),
        town.lot("beyond", in_scope=False),
        town.lot("closed", state=lot_state.LOT_STATE_CLOSED),
        town.lot("draft", state=lot_state.LOT_STATE_DRAFT),
        town.lot("pending", state=lot_state.LOT_STATE_PENDING),
        town.lot("within", in_scope=True),
        lot(f"lot_{town.code}-next-door", division_code=town.code[:4] + "02"),
        *town.connected("heard"),
    )
    assert await town.names() == ["active", "heard", "pending", "within"]
    assert await town.names(include_out_of_scope=True) == ["active", "beyond", "heard", "pending", "within"]
    assert await town.names(lot_state=lot_state.LOT_STATE_CLOSED) == ["closed"]
    assert await town.names(coverage_states=[NEVER_REPORTED, SILENT]) == ["heard"]
    assert await town.names(coverage_states=[NOT_CONNECTED]) == ["active", "pending", "within"]
    for part in (town.code[:4] + "00", town.code[:2] + "0000"):
        assert "next-door" in await town.names(division_code=part)
    assert await town.names(division_code=town.code[:4] + "03") == []


async def test_pages_go_on_where_they_ended(town: Town) -> None:
    names = [f"{number:02}" for number in range(7)]
    await town.state(*(town.lot(name) for name in names), town.lot("unheard"))
    seen: list[Sequence[str]] = []
    token = ""
    while True:
        page = await town.page(page_size=3, page_token=token)
        seen.append([one.lot_id.removeprefix(town.id("")) for one in page.lots])
        token = page.next_page_token
        if not token:
            break
    assert seen == [names[:3], names[3:6], [names[6], "unheard"]]
    token = (await town.page(page_size=3)).next_page_token
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await town.page(page_size=3, page_token=token, include_out_of_scope=True)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_page_token_that_somebody_made_is_refused(town: Town) -> None:
    token = paging.encode(messages.ListLotCoverageRequest(division_code=town.code), ["a", "b"])
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await town.page(page_token=token)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("caller", "names"),
    [
        (SUPERVISOR, ["mine", "others", "run"]),
        (Caller(CallerKind.ADMINISTRATOR, "platform", "client-a"), ["mine", "others", "run"]),
        (Caller(CallerKind.OPERATOR, "operator-1", "client-o", "account-o"), ["run"]),
        (Caller(CallerKind.OPERATOR, "operator-2", "client-o", "account-o"), []),
        (Caller(CallerKind.VENDOR, VENDOR, "client-1"), ["mine"]),
        (Caller(CallerKind.VENDOR, "vendor-9", "client-9"), []),
    ],
)
async def test_everybody_sees_what_is_theirs(town: Town, caller: Caller, names: list[str]) -> None:
    run = town.lot("run", operator_id="operator-1")
    await town.state(*town.connected("mine"), town.lot("others"), run, grant("vendor-2", town.id("mine")))
    answer = await town.page(caller)
    assert [one.lot_id for one in answer.lots] == [town.id(name) for name in names]
    told = {one.HasField("granted_vendors") for one in answer.lots}
    # How many compete for a lot is nothing that a vendor is told (R7.4).
    assert told <= {caller.kind is not CallerKind.VENDOR}


@pytest.mark.parametrize("kind", [CallerKind.ANALYST, CallerKind.DEPARTMENT, CallerKind.DEVICE, CallerKind.COLLECTOR])
async def test_nobody_else_may_ask(town: Town, kind: CallerKind) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await town.page(Caller(kind, "somebody", "client-x"))
    assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "asked",
    [
        {"division_code": "3503"},
        {"silent_after_hours": 0},
        {"silent_after_hours": 8761},
        {"coverage_states": [0]},
        {"coverage_states": [9]},
        {"coverage_states": [SILENT, SILENT]},
        {"lot_state": 77},
        {"page_size": -1},
    ],
)
async def test_a_bad_request_is_refused(town: Town, asked: dict[str, Any]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await town.page(**asked)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_silence_is_judged_at_what_the_history_has_reached() -> None:
    assert judged(True, 0, 10, 11) == REPORTING
    assert judged(True, 0, 10, 10) == SILENT
    assert judged(True, 10, 0, 1) == REPORTING  # heard behind the promise
    assert judged(True, None, 10, 10) == NEVER_REPORTED
    assert judged(False, 10, 10, 10) == judged(False, None, 10, 10) == NOT_CONNECTED


def test_a_device_or_a_collector_connects_a_lot_too() -> None:
    speakers = Speakers()
    secret = vendor_pb2.CREDENTIAL_METHOD_SECRET
    device = CredentialFacts("c-1", CallerKind.DEVICE, "lot-d", "", secret, 100, False)
    vendors = CredentialFacts("c-2", CallerKind.VENDOR, "lot-v", "", secret, 100, False)
    collector = AccountFacts("a-1", CallerKind.COLLECTOR, True, frozenset({"lot-1", "lot-2"}))
    for fact in (device, vendors, collector, GrantFacts("v", "lot-g", 10, FOREVER)):
        speakers.changed(Change(None, fact))
    spoken = {lot_id for lot_id in ("lot-d", "lot-v", "lot-1", "lot-2", "lot-g") if speakers.anybody(lot_id, 50)}
    assert spoken == {"lot-d", "lot-1", "lot-2", "lot-g"}
    assert (speakers.vendors("lot-d", 50), speakers.vendors("lot-g", 50)) == (0, 1)
    assert not speakers.anybody("lot-g", 9)
    assert not speakers.anybody("lot-d", 100)
    fewer = AccountFacts("a-1", CallerKind.COLLECTOR, True, frozenset({"lot-2"}))
    speakers.changed(Change(collector, fewer))
    assert [speakers.anybody(lot_id, 50) for lot_id in ("lot-1", "lot-2")] == [False, True]
    speakers.changed(Change(fewer, AccountFacts("a-1", CallerKind.COLLECTOR, False, frozenset({"lot-2"}))))
    assert not speakers.anybody("lot-2", 50)
    speakers.changed(Change(device, None))
    assert not speakers.anybody("lot-d", 50)


class Counted(Archive):
    """The archive, and what it was asked."""

    def __init__(self, client: HistoryClient) -> None:
        super().__init__(client)
        self.asked: list[int] = []

    async def last_accepted(self, since_ms: int) -> dict[str, int]:
        self.asked.append(since_ms)
        await asyncio.sleep(0)
        return await super().last_accepted(since_ms)


class Blank:
    """A ClickHouse that holds nothing."""

    async def rows(self, *_: object, **__: object) -> list[tuple[Any, ...]]:
        return []


async def test_the_history_is_read_whole_once_and_then_no_further_than_what_came_since(tmp_path: Path) -> None:
    client = cast(HistoryClient, Blank())
    with running(tmp_path) as server:
        async with await EventLog.open(server.url, clock=lambda: NOW_MS) as log:
            archive = Counted(client)
            hearing = Hearing(archive, Progress(log, client), refresh_ms=1000)
            first = await asyncio.gather(*(hearing.heard(NOW_MS) for _ in range(5)))
            assert archive.asked == [0]
            assert {one.as_of_ms for one in first} == {NOW_MS}
            await hearing.heard(NOW_MS + 999)
            assert len(archive.asked) == 1
            await hearing.heard(NOW_MS + 1000)
            assert archive.asked == [0, NOW_MS - HOUR_MS]


async def test_what_the_history_lacks_yet_is_not_promised(tmp_path: Path) -> None:
    client = cast(HistoryClient, Blank())
    with running(tmp_path) as server:
        async with await EventLog.open(server.url, clock=lambda: NOW_MS) as log:
            hearing = Hearing(Archive(client), Progress(log, client), refresh_ms=0)
            await log.append(0, [Item(item_key("lot", "r"), bytes(32), b"payload")])
            assert (await hearing.heard(NOW_MS + 7 * HOUR_MS)).as_of_ms == NOW_MS


async def test_what_was_heard_before_is_remembered(access: Platform, town: Town, tmp_path: Path) -> None:
    town.heard("old", 40 * HOUR_MS)
    now_ms = access.clock.now_ms()
    account = Account(access.history.url, "reader", access.history.secrets["reader"])
    async with HistoryClient(account) as client:
        with running(tmp_path) as server:
            async with await EventLog.open(server.url, clock=lambda: NOW_MS) as log:
                progress = Progress(log, cast(HistoryClient, Blank()))
                hearing = Hearing(Archive(client), progress, refresh_ms=0)
                await hearing.heard(now_ms)
                town.heard("new", HOUR_MS // 2)
                again = await hearing.heard(now_ms)
    assert again.last_ms[town.id("old")] == now_ms - 40 * HOUR_MS
    assert again.last_ms[town.id("new")] == now_ms - HOUR_MS // 2
