"""The search as the public calls it, over a real directory and a real history."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
import grpc
import pytest
from directory.testing import StatedRegistry, lot
from eventlog.server import free_port
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from guidance import app
from guidance.settings import Settings
from history.server.testing import RunningServer
from mesh import paging
from mesh.caller import Verifier
from mesh.clock import RandomIds
from mesh.hosting import Mesh, hosted
from mesh.settings import BaseSettings, Secret
from mesh.telemetry import Telemetry
from mesh.testing import ManualClock, Running, running, signer, throwaway_keys
from parkmesh.guidance.v1 import guidance_service_pb2 as messages
from parkmesh.guidance.v1.guidance_service_pb2_grpc import GuidanceServiceStub
from parkmesh.registry.v1 import coordinate_pb2, lot_pb2
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from vocabulary.coordinate import Coordinate, CoordinateSystem, convert

_fresh = itertools.count()
STALE_S = 900


@dataclass(frozen=True)
class Spot:
    """A place of a test's own, far from every other test's."""

    latitude: float
    longitude: float = 100.0

    def lot(self, lot_id: str, *, north_m: float = 0, **facts: Any) -> lot_pb2.Lot:
        """A lot so far north of the spot."""
        at = coordinate_pb2.Coordinate(
            latitude=self.latitude + north_m / 111_195,
            longitude=self.longitude,
            system=coordinate_pb2.COORDINATE_SYSTEM_WGS84,
        )
        return lot(lot_id, **({"coordinate": at} | facts))

    def request(self, **changes: Any) -> messages.SearchLotsRequest:
        stated: dict[str, Any] = {
            "latitude": self.latitude,
            "longitude": self.longitude,
            "coordinate_system": coordinate_pb2.COORDINATE_SYSTEM_WGS84,
        }
        return messages.SearchLotsRequest(**(stated | changes))


@pytest.fixture
def spot() -> Spot:
    return Spot(10.0 + next(_fresh) / 2)


class Public:
    """The service with a registry that the test states and a history that it fills."""

    def __init__(self, service: Running, clock: ManualClock, registry: StatedRegistry, owner: Any) -> None:
        self.clock = clock
        self._service = service
        self._registry = registry
        self._owner = owner
        self._stub = GuidanceServiceStub(service.channel())

    async def state(self, *facts: Any) -> None:
        """Makes facts known to the registry and waits until the service has seen them."""
        revision = self._registry.state(*facts)
        mark = lot(f"mark-{revision}", coordinate=Spot(-60.0).lot("x").coordinate)
        self._registry.state(mark)
        async with asyncio.timeout(5):
            while mark.lot_id not in await self.names(Spot(-60.0).request(page_size=100, radius_m=1)):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        self._registry.state(lot(mark.lot_id, state=lot_pb2.LOT_STATE_CLOSED))

    async def report(self, lot_id: str, free: int, *, age_s: float = 0) -> None:
        """Puts a report into the history and waits until the service has read it."""
        observed_ms = self.clock.now_ms() - int(age_s * 1000)
        await asyncio.to_thread(
            self._owner.command, f"INSERT INTO store.lot_free VALUES ('{lot_id}', {observed_ms / 1000}, {free})"
        )

    async def search(self, request: messages.SearchLotsRequest) -> messages.SearchLotsResponse:
        return await self._stub.SearchLots(request)

    async def names(self, request: messages.SearchLotsRequest) -> list[str]:
        return [found.lot_id for found in (await self.search(request)).lots]

    async def one(self, request: messages.SearchLotsRequest) -> messages.NearbyLot:
        (found,) = (await self.search(request)).lots
        return found

    async def until(self, request: messages.SearchLotsRequest, free: int) -> messages.NearbyLot:
        """The one lot found, once it shows so many free berths."""
        async with asyncio.timeout(5):
            while not (found := await self.one(request)).HasField("free_berths") or found.free_berths != free:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found


def settings(history_server: RunningServer, registry_address: str, **changes: Any) -> Settings:
    stated: dict[str, Any] = {
        "registry_address": registry_address,
        "clickhouse_url": history_server.url,
        "clickhouse_user": "reader",
        "clickhouse_password": Secret(history_server.secrets["reader"]),
        "poll_seconds": 0.02,
        "stale_after_seconds": STALE_S,
    }
    return Settings(**(stated | changes))


@contextlib.asynccontextmanager
async def composed(
    history_server: RunningServer, *facts: Any, **changes: Any
) -> AsyncIterator[tuple[Public, contextlib.AsyncExitStack]]:
    """Everything; closing the stack that comes with it takes the registry away."""
    clock, registry = ManualClock(), StatedRegistry(*facts)

    async def bind_registry(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(add_DirectoryServiceServicer_to_server, registry)

    owner = clickhouse_connect.get_client(**history_server.connect("owner"))
    async with contextlib.AsyncExitStack() as outer, contextlib.AsyncExitStack() as registered:
        outer.callback(owner.close)
        quick = BaseSettings(drain_seconds=0)
        at = await registered.enter_async_context(running(bind_registry, quick, clock=clock))
        told = settings(history_server, at.address, **changes)
        service = await outer.enter_async_context(running(app.bind, told, name="guidance", clock=clock))
        yield Public(service, clock, registry, owner), registered


@pytest.fixture(scope="session")
async def public(history_server: RunningServer) -> AsyncIterator[Public]:
    async with composed(history_server) as (made, _):
        yield made


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return refusal.value


async def violations(public: Public, request: messages.SearchLotsRequest) -> dict[str, str]:
    """Field and rule of everything at fault."""
    refusal = await refused(public.search(request))
    assert refusal.code() is grpc.StatusCode.INVALID_ARGUMENT
    for detail in rpc_status.from_call(refusal).details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {fault.field: fault.reason for fault in bad.field_violations}
    return {}


async def test_the_nearest_comes_first_with_all_that_the_public_may_know(public: Public, spot: Spot) -> None:
    far = spot.lot("far", north_m=900)
    near = spot.lot("near", north_m=-50, name="文献路停车场", address="文献路1号", open_berths=77)
    await public.state(far, near, spot.lot("too-far", north_m=1100))
    answer = await public.search(spot.request())
    assert [(found.lot_id, found.distance_m) for found in answer.lots] == [("near", 50), ("far", 900)]
    found = answer.lots[0]
    assert (found.name, found.address, found.type) == ("文献路停车场", "文献路1号", lot_pb2.LOT_TYPE_PUBLIC)
    assert (found.open_berths, found.freshness) == (77, messages.FRESHNESS_UNKNOWN)
    assert not answer.next_page_token


async def test_no_answer_names_a_vendor_or_an_operator() -> None:
    fields = {field.name for field in messages.NearbyLot.DESCRIPTOR.fields}
    assert fields == {
        "lot_id",
        "name",
        "address",
        "type",
        "distance_m",
        "position",
        "open_berths",
        "free_berths",
        "observe_time",
        "age_seconds",
        "freshness",
    }


def system_of(place: Coordinate) -> coordinate_pb2.CoordinateSystem.ValueType:
    return coordinate_pb2.CoordinateSystem.Value(f"COORDINATE_SYSTEM_{place.system.name}")


async def test_positions_are_shown_in_gcj02_whatever_they_were_given_in(public: Public) -> None:
    true = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    systems = [system for system in CoordinateSystem if system is not CoordinateSystem.UNSPECIFIED]
    given = [
        coordinate_pb2.Coordinate(latitude=place.latitude, longitude=place.longitude, system=system_of(place))
        for place in (convert(true, system) for system in systems)
    ]
    await public.state(*(lot(f"in-{place.system}", coordinate=place) for place in given))
    for place in given:
        asked = messages.SearchLotsRequest(
            latitude=place.latitude, longitude=place.longitude, coordinate_system=place.system, radius_m=1
        )
        answer = await public.search(asked)
        assert [found.distance_m for found in answer.lots] == [0] * 4
        for found in answer.lots:
            assert found.position.system == coordinate_pb2.COORDINATE_SYSTEM_GCJ02
            shown = (found.position.latitude, found.position.longitude)
            assert shown == pytest.approx((25.451318, 119.012434), abs=1e-6)


OUT_OF_SERVICE = [
    state
    for state in lot_pb2.LotState.values()
    if state not in (lot_pb2.LOT_STATE_UNSPECIFIED, lot_pb2.LOT_STATE_ACTIVE)
]


@pytest.mark.parametrize("state", OUT_OF_SERVICE)
async def test_only_lots_in_service_are_found(public: Public, spot: Spot, state: Any) -> None:
    away, back = f"away-{state}", f"back-{state}"
    await public.state(spot.lot(away), spot.lot(back, state=state), spot.lot(f"never-{state}", state=state))
    assert await public.names(spot.request()) == [away]
    await public.state(spot.lot(away, state=state), spot.lot(back))
    assert await public.names(spot.request()) == [back]


async def test_a_lot_without_a_position_is_not_found(public: Public, spot: Spot) -> None:
    await public.state(spot.lot("placed"))
    assert await public.names(spot.request()) == ["placed"]
    await public.state(lot("placed"))
    assert await public.names(spot.request()) == []


async def test_free_berths_come_with_their_time_age_and_freshness(public: Public, spot: Spot) -> None:
    await public.state(spot.lot("reporting"))
    assert not (await public.one(spot.request())).HasField("free_berths")
    await public.report("reporting", 0, age_s=10)
    found = await public.until(spot.request(), 0)
    assert (found.age_seconds, found.freshness) == (10, messages.FRESHNESS_FRESH)
    assert found.observe_time.ToMilliseconds() == public.clock.now_ms() - 10_000
    await public.report("reporting", 12)
    found = await public.until(spot.request(), 12)
    assert (found.age_seconds, found.freshness) == (0, messages.FRESHNESS_FRESH)


async def test_what_was_never_reported_is_absent_and_not_zero(public: Public, spot: Spot) -> None:
    await public.state(spot.lot("silent"))
    found = await public.one(spot.request())
    absent = [found.HasField(field) for field in ("free_berths", "observe_time", "age_seconds")]
    assert (absent, found.freshness) == ([False] * 3, messages.FRESHNESS_UNKNOWN)


@pytest.mark.parametrize(
    ("age_s", "freshness"),
    [(STALE_S - 0.001, messages.FRESHNESS_FRESH), (STALE_S, messages.FRESHNESS_STALE), (-30, messages.FRESHNESS_FRESH)],
)
async def test_an_old_report_is_called_stale(public: Public, spot: Spot, age_s: float, freshness: Any) -> None:
    lot_id = f"aged-{spot.latitude}"
    await public.state(spot.lot(lot_id))
    await public.report(lot_id, 5, age_s=age_s)
    found = await public.until(spot.request(), 5)
    assert (found.age_seconds, found.freshness) == (max(0, int(age_s)), freshness)


async def test_pages_go_on_where_they_ended(public: Public, spot: Spot) -> None:
    lots = [spot.lot(f"page-{number:03}", north_m=number // 2) for number in range(130)]
    await public.state(*lots)
    wanted = [one.lot_id for one in lots]
    assert await public.names(spot.request()) == wanted[:20]
    request, seen = spot.request(page_size=1000), []
    while True:
        answer = await public.search(request)
        seen.append([found.lot_id for found in answer.lots])
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert seen == [wanted[:100], wanted[100:]]


async def test_a_page_token_belongs_to_its_search(public: Public, spot: Spot) -> None:
    await public.state(spot.lot("token-1"), spot.lot("token-2", north_m=1))
    token = (await public.search(spot.request(page_size=1))).next_page_token
    assert await public.names(spot.request(page_size=1, page_token=token)) == ["token-2"]
    refusal = await refused(public.search(spot.request(radius_m=7, page_token=token)))
    assert (refusal.code(), "page token" in (refusal.details() or "")) == (grpc.StatusCode.INVALID_ARGUMENT, True)


@pytest.mark.parametrize("place", [["x"], ["near", "lot"], ["0x1.0p+1", "a", "b"], ["0x1p9999", "lot"], ["nan", "lot"]])
async def test_a_stranger_who_makes_page_tokens_is_refused(public: Public, spot: Spot, place: list[str]) -> None:
    token = paging.encode(spot.request(), place)
    refusal = await refused(public.search(spot.request(page_token=token)))
    assert (refusal.code(), "page token" in (refusal.details() or "")) == (grpc.StatusCode.INVALID_ARGUMENT, True)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"coordinate_system": 0}, {"coordinateSystem": "coordinate.system_required"}),
        ({"coordinate_system": 3, "longitude": -180.0}, {"longitude": "coordinate.edge"}),
        ({"coordinate_system": 9}, {"coordinateSystem": "enum.defined_only"}),
        ({"latitude": None}, {"latitude": "required"}),
        ({"longitude": None}, {"longitude": "required"}),
        ({"latitude": 90.1}, {"latitude": "double.gte_lte"}),
        ({"longitude": float("nan")}, {"longitude": "double.gte_lte"}),
        ({"radius_m": 20_001}, {"radiusM": "int32.gte_lte"}),
        ({"radius_m": -1}, {"radiusM": "int32.gte_lte"}),
        ({"page_size": -1}, {"pageSize": "int32.gte"}),
    ],
)
async def test_a_bad_search_names_the_field_and_the_rule(
    public: Public, spot: Spot, changes: dict[str, Any], fault: dict[str, str]
) -> None:
    assert await violations(public, spot.request(**changes)) == fault


async def test_the_radius_is_a_kilometre_unless_stated(public: Public, spot: Spot) -> None:
    await public.state(spot.lot("at-999", north_m=998), spot.lot("at-20000", north_m=19_900))
    assert await public.names(spot.request()) == ["at-999"]
    assert await public.names(spot.request(radius_m=20_000)) == ["at-999", "at-20000"]
    assert await public.names(spot.request(radius_m=500)) == []


async def test_while_the_history_is_away_answers_go_on_and_age(history_server: RunningServer, spot: Spot) -> None:
    async with composed(history_server, spot.lot("aging")) as (public, _):
        await public.report("aging", 3)
        await public.until(spot.request(), 3)
        history_server.process.send_signal(19)  # stopped, not dead: calls are given up by their deadline
        try:
            public.clock.advance(STALE_S * 1000)
            found = await public.one(spot.request())
        finally:
            history_server.process.send_signal(18)
        assert (found.free_berths, found.age_seconds) == (3, STALE_S)
        assert found.freshness == messages.FRESHNESS_STALE


async def test_a_history_that_was_never_there_leaves_the_numbers_unknown(
    history_server: RunningServer, spot: Spot
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with composed(history_server, spot.lot("known"), clickhouse_url=nowhere) as (public, _):
        assert (await public.one(spot.request())).freshness == messages.FRESHNESS_UNKNOWN


async def test_without_the_registry_searches_go_on_for_a_while(history_server: RunningServer, spot: Spot) -> None:
    async with composed(history_server, spot.lot("lasting"), directory_max_age_hours=1) as (public, registered):
        await registered.aclose()
        public.clock.advance(3_600_000)
        assert await public.names(spot.request()) == ["lasting"]
        public.clock.advance(1)
        refusal = await refused(public.search(spot.request()))
        assert refusal.code() is grpc.StatusCode.UNAVAILABLE
        kinds = [detail.TypeName() for detail in rpc_status.from_call(refusal).details]
        assert "google.rpc.RetryInfo" in kinds


async def test_before_the_registry_was_ever_there_it_is_said_to_be_away(
    history_server: RunningServer, spot: Spot
) -> None:
    told = settings(history_server, f"127.0.0.1:{free_port()}")
    serving = hosted(
        "guidance",
        told,
        app.bind,
        clock=ManualClock(),
        ids=RandomIds(),
        telemetry=Telemetry("guidance", 0.0, [], []),
        signer=signer("guidance"),
        verifier=Verifier({"registry": throwaway_keys()[1]}),
    )
    async with serving as service, grpc.aio.insecure_channel(service.address) as channel:
        refusal = await refused(GuidanceServiceStub(channel).SearchLots(spot.request()))
    assert refusal.code() is grpc.StatusCode.UNAVAILABLE
    assert "google.rpc.RetryInfo" in [detail.TypeName() for detail in rpc_status.from_call(refusal).details]
