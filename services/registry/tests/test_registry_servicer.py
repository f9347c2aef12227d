"""The registry over the wire: who sees what, and what is refused how."""

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.caller import CallerKind
from parkmesh.registry.v1 import (
    audit_service_pb2,
    change_service_pb2,
    coordinate_pb2,
    directory_service_pb2,
    gate_pb2,
    lot_pb2,
    registry_service_pb2,
    vendor_pb2,
    vendor_service_pb2,
)

SECOND = 1000
DAY_S = 86_400


class Refusal:
    """What a refused call was told."""

    reason = ""
    message = ""
    code: grpc.StatusCode | None = None
    metadata: dict[str, str] = {}  # noqa: RUF012
    fields: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed

    def take(self, error: grpc.aio.AioRpcError) -> None:
        status = rpc_status.from_call(error)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(bad)
        self.reason, self.message, self.code = info.reason, status.message, error.code()
        self.metadata = dict(info.metadata)
        self.fields = {violation.field: violation.reason for violation in bad.field_violations}


@contextlib.contextmanager
def refused(reason: str) -> Iterator[Refusal]:
    refusal = Refusal()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield refusal
    refusal.take(caught.value)
    assert refusal.reason == reason


def filing(number: int = 1, **changed: Any) -> lot_pb2.Lot:
    stated: dict[str, Any] = {
        "registration_number": f"PT-{number}",
        "name": "城厢区胜利路停车场",
        "type": lot_pb2.LOT_TYPE_PUBLIC,
        "division_code": "350302",
        "open_berths": 120,
    }
    return lot_pb2.Lot(**(stated | changed))


async def create_lot(registry: Any, number: int = 1, **changed: Any) -> Any:
    request = registry_service_pb2.CreateLotRequest(lot=filing(number, **changed))
    return await registry.administrator.lots.CreateLot(request)


async def create_gate(registry: Any, of_lot: str, number: str, **changed: Any) -> Any:
    lanes = [gate_pb2.Lane(lane_id="1", direction=gate_pb2.LANE_DIRECTION_ENTRY)]
    stated: dict[str, Any] = {"gate_id": number, "name": "胜利路一号入口", "lanes": lanes}
    request = registry_service_pb2.CreateGateRequest(lot_id=of_lot, gate=gate_pb2.Gate(**(stated | changed)))
    return await registry.administrator.lots.CreateGate(request)


async def create_vendor(registry: Any, name: str = "某停车科技公司", **changed: Any) -> Any:
    request = vendor_service_pb2.CreateVendorRequest(vendor=vendor_pb2.Vendor(name=name, **changed))
    return await registry.administrator.vendors.CreateVendor(request)


async def grant(registry: Any, vendor_id: str, lot_id: str, **times: Timestamp) -> Any:
    request = vendor_service_pb2.GrantLotRequest(vendor_id=vendor_id, lot_id=lot_id, **times)
    return await registry.security.vendors.GrantLot(request)


def get(client: Any, lot_id: str) -> Any:
    return client.lots.GetLot(registry_service_pb2.GetLotRequest(lot_id=lot_id))


def instant(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)


async def test_a_lot_gets_an_id_and_is_given_back(registry: Any) -> None:
    where = coordinate_pb2.Coordinate(latitude=25.431, longitude=119.007, system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02)
    created = await create_lot(registry, coordinate=where, address="胜利路 1 号")
    assert created.lot_id == "lot-1"
    assert created.state == lot_pb2.LOT_STATE_PENDING
    assert created.create_time == instant(registry.clock.now_ms())
    assert created.coordinate == where
    assert await get(registry.administrator, "lot-1") == created


async def test_the_state_is_the_administrators_when_given(registry: Any) -> None:
    assert (await create_lot(registry, state=lot_pb2.LOT_STATE_ACTIVE)).state == lot_pb2.LOT_STATE_ACTIVE


async def test_a_registration_number_is_registered_once(registry: Any) -> None:
    await create_lot(registry)
    with refused("ALREADY_REGISTERED") as refusal:
        await create_lot(registry, name="另一名称")
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    assert "PT-1" not in refusal.message


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"lot_id": "mine"}, "lot.lotId"),
        ({"create_time": Timestamp()}, "lot.createTime"),
        ({"registration_number": ""}, "lot.registrationNumber"),
        ({"registration_number": "x" * 65}, "lot.registrationNumber"),
        ({"name": ""}, "lot.name"),
        ({"name": "nul\0"}, "lot.name"),
        ({"name": " blank"}, "lot.name"),
        ({"name": "zero\u200bwidth"}, "lot.name"),
        ({"address": "line\nbreak"}, "lot.address"),
        ({"type": 0}, "lot.type"),
        ({"type": 99}, "lot.type"),
        ({"state": 99}, "lot.state"),
        ({"division_code": "35030"}, "lot.divisionCode"),
        ({"division_code": "993501"}, "lot.divisionCode"),
        ({"open_berths": -1}, "lot.openBerths"),
        ({"coordinate": {"latitude": 91, "system": 1}}, "lot.coordinate.latitude"),
        ({"coordinate": {"latitude": float("nan"), "system": 1}}, "lot.coordinate.latitude"),
        ({"coordinate": {"longitude": -181, "system": 1}}, "lot.coordinate.longitude"),
        ({"coordinate": {"latitude": 25, "longitude": 119}}, "lot.coordinate.system"),
    ],
)
async def test_a_bad_lot_is_refused_and_the_field_named(registry: Any, changed: dict[str, Any], field: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        await create_lot(registry, **changed)
    assert list(refusal.fields) == [field]
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    listed = await registry.administrator.lots.ListLots(registry_service_pb2.ListLotsRequest())
    assert not listed.lots


async def test_a_lot_must_be_given(registry: Any) -> None:
    with refused("INVALID_FIELD") as refusal:
        await registry.administrator.lots.CreateLot(registry_service_pb2.CreateLotRequest())
    assert list(refusal.fields) == ["lot"]


async def test_gates_are_listed_by_number_with_their_lanes_as_given(registry: Any) -> None:
    lot = await create_lot(registry)
    lanes = [
        gate_pb2.Lane(lane_id="9", direction=gate_pb2.LANE_DIRECTION_EXIT),
        gate_pb2.Lane(lane_id="1", direction=gate_pb2.LANE_DIRECTION_BOTH),
    ]
    second = await create_gate(registry, lot.lot_id, "g2", lanes=lanes)
    first = await create_gate(registry, lot.lot_id, "g1", lot_id=lot.lot_id)
    assert second.lot_id == lot.lot_id
    request = registry_service_pb2.ListGatesRequest(lot_id=lot.lot_id)
    listed = await registry.administrator.lots.ListGates(request)
    assert list(listed.gates) == [first, second]
    request.page_size = 1
    page = await registry.administrator.lots.ListGates(request)
    assert list(page.gates) == [first]
    request.page_token = page.next_page_token
    page = await registry.administrator.lots.ListGates(request)
    assert list(page.gates) == [second]
    assert not page.next_page_token


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"gate_id": "no blank"}, "gate.gateId"),
        ({"name": ""}, "gate.name"),
        ({"lanes": []}, "gate.lanes"),
        ({"lanes": [{"lane_id": "1", "direction": 1}, {"lane_id": "1", "direction": 2}]}, "gate.lanes[1].laneId"),
        ({"lanes": [{"lane_id": "1"}]}, "gate.lanes[0].direction"),
        ({"lot_id": "another"}, "gate.lotId"),
    ],
)
async def test_a_bad_gate_is_refused_and_the_field_named(registry: Any, changed: dict[str, Any], field: str) -> None:
    lot = await create_lot(registry)
    with refused("INVALID_FIELD") as refusal:
        await create_gate(registry, lot.lot_id, "g1", **changed)
    assert list(refusal.fields) == [field]


async def test_a_gate_is_registered_once_and_only_for_a_lot_that_is_there(registry: Any) -> None:
    lot = await create_lot(registry)
    await create_gate(registry, lot.lot_id, "g1")
    with refused("ALREADY_REGISTERED"):
        await create_gate(registry, lot.lot_id, "g1")
    with refused("LOT_NOT_FOUND"):
        await create_gate(registry, "lot-9", "g1")


async def test_a_vendor_sees_granted_lots_and_a_foreign_one_looks_as_if_it_were_not_there(registry: Any) -> None:
    vendor = await create_vendor(registry)
    own, foreign = await create_lot(registry, 1), await create_lot(registry, 2)
    await create_gate(registry, own.lot_id, "g1")
    await grant(registry, vendor.vendor_id, own.lot_id)
    client = registry.vendor(vendor.vendor_id)
    assert await get(client, own.lot_id) == own
    assert list((await client.lots.ListLots(registry_service_pb2.ListLotsRequest())).lots) == [own]
    assert len((await client.lots.ListGates(registry_service_pb2.ListGatesRequest(lot_id=own.lot_id))).gates) == 1
    with refused("LOT_NOT_FOUND") as of_foreign:
        await get(client, foreign.lot_id)
    with refused("LOT_NOT_FOUND") as of_unknown:
        await get(client, "lot-99")
    with refused("LOT_NOT_FOUND") as of_gates:
        await client.lots.ListGates(registry_service_pb2.ListGatesRequest(lot_id=foreign.lot_id))
    assert of_foreign.message == of_unknown.message == of_gates.message
    assert of_foreign.code is of_unknown.code is of_gates.code is grpc.StatusCode.NOT_FOUND


async def test_a_grant_holds_from_its_start_until_its_end(registry: Any) -> None:
    vendor, lot = await create_vendor(registry), await create_lot(registry)
    client, now = registry.vendor(vendor.vendor_id), registry.clock.now_ms()
    given = await grant(
        registry, vendor.vendor_id, lot.lot_id, start_time=instant(now + SECOND), end_time=instant(now + 2 * SECOND)
    )
    assert (given.start_time, given.end_time) == (instant(now + SECOND), instant(now + 2 * SECOND))
    with refused("LOT_NOT_FOUND"):
        await get(client, lot.lot_id)
    registry.clock.advance(SECOND)
    assert await get(client, lot.lot_id) == lot
    registry.clock.advance(SECOND)
    with refused("LOT_NOT_FOUND"):
        await get(client, lot.lot_id)
    again = await grant(registry, vendor.vendor_id, lot.lot_id)
    assert again.start_time == instant(registry.clock.now_ms())
    assert not again.HasField("end_time")
    assert await get(client, lot.lot_id) == lot


async def test_pages_lead_through_the_whole_list_once(registry: Any) -> None:
    lots = [await create_lot(registry, number) for number in range(5)]
    lots.sort(key=lambda lot: lot.lot_id)
    seen: list[lot_pb2.Lot] = []
    request = registry_service_pb2.ListLotsRequest(page_size=2)
    sizes = []
    while True:
        page = await registry.administrator.lots.ListLots(request)
        sizes.append(len(page.lots))
        seen += page.lots
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == lots
    assert sizes == [2, 2, 1]
    vendors = [await create_vendor(registry, name) for name in "甲乙"]
    listing = vendor_service_pb2.ListVendorsRequest(page_size=2)
    listed = await registry.administrator.vendors.ListVendors(listing)
    assert list(listed.vendors) == vendors
    assert not listed.next_page_token


async def test_a_page_token_is_good_for_its_own_list_alone(registry: Any) -> None:
    lot = await create_lot(registry)
    await create_lot(registry, 2)
    page = await registry.administrator.lots.ListLots(registry_service_pb2.ListLotsRequest(page_size=1))
    for token in (page.next_page_token, "nonsense"):
        with refused("INVALID_PAGE_TOKEN"):
            await registry.administrator.lots.ListGates(
                registry_service_pb2.ListGatesRequest(lot_id=lot.lot_id, page_token=token)
            )
    with refused("INVALID_FIELD") as refusal:
        await registry.administrator.lots.ListLots(registry_service_pb2.ListLotsRequest(page_size=-1))
    assert list(refusal.fields) == ["pageSize"]


@pytest.mark.parametrize("reason", ["nul\0", "line\nbreak", "x" * 513, "zero\u200bwidth"])
async def test_a_reason_is_one_line(registry: Any, reason: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        request = registry_service_pb2.CreateLotRequest(lot=filing(), reason=reason)
        await registry.administrator.lots.CreateLot(request)
    assert list(refusal.fields) == ["reason"]
    with refused("INVALID_FIELD") as refusal:
        await registry.administrator.changes.ListChanges(change_service_pb2.ListChangesRequest(author=reason))
    assert list(refusal.fields) == ["author"]


async def test_a_stale_etag_comes_back_with_the_current_one(registry: Any) -> None:
    lot = await create_lot(registry)
    request = registry_service_pb2.UpdateLotRequest(lot_id=lot.lot_id, lot=lot)
    request.lot.name = "新名"
    newer = await registry.administrator.lots.UpdateLot(request)
    with refused("ETAG_MISMATCH") as refusal:
        await registry.administrator.lots.UpdateLot(request)
    assert refusal.metadata == {"etag": newer.etag}


async def test_a_mask_of_a_million_characters_is_refused_in_a_word(registry: Any) -> None:
    lot = await create_lot(registry)
    request = registry_service_pb2.UpdateLotRequest(lot_id=lot.lot_id, lot=lot_pb2.Lot(name="新名"))
    for paths in (["x" * 1_000_000], ["x"] * 300_000):
        del request.update_mask.paths[:]
        request.update_mask.paths.extend(paths)
        with refused("INVALID_FIELD") as refusal:
            await registry.administrator.lots.UpdateLot(request)
        assert refusal.fields == {"updateMask": "update_mask.unknown"}


async def test_fields_that_the_registry_does_not_know_reach_nobody(registry: Any) -> None:
    newer = lot_pb2.Lot.FromString(filing().SerializeToString() + b"\xaa\x7d\x06canary")
    newer.coordinate.CopyFrom(
        coordinate_pb2.Coordinate(latitude=25.4, longitude=119, system=coordinate_pb2.COORDINATE_SYSTEM_WGS84)
    )
    newer.coordinate.MergeFromString(b"\xaa\x7d\x06canary")
    request = registry_service_pb2.CreateLotRequest(lot=newer)
    assert request.SerializeToString().count(b"canary") == 2
    created = await registry.administrator.lots.CreateLot(request)
    watching = directory_service_pb2.WatchDirectoryRequest()
    call = registry.service("guidance").directory.WatchDirectory(watching)
    page = await call.read()
    call.cancel()
    assert [change.lot.lot_id for change in page.changes if change.HasField("lot")] == [created.lot_id]
    for answer in (created, page, await get(registry.administrator, created.lot_id)):
        assert b"canary" not in answer.SerializeToString()


async def test_changes_are_listed_and_received_page_by_page(registry: Any) -> None:
    for number in range(3):
        await create_lot(registry, number)
    police = registry.caller(CallerKind.SUPERVISOR, "police", "account-1")
    request = change_service_pb2.ListChangesRequest(awaiting_receipt=True, newest_first=True, page_size=2)
    first = await police.changes.ListChanges(request)
    request.page_token = first.next_page_token
    second = await police.changes.ListChanges(request)
    numbers = [change.revision for change in (*first.changes, *second.changes)]
    assert [len(first.changes), len(second.changes), second.next_page_token] == [2, 1, ""]
    assert numbers == sorted(numbers, reverse=True)
    received = await police.changes.ReceiveChanges(change_service_pb2.ReceiveChangesRequest(revisions=numbers))
    assert received.received == 3
    request.page_token = ""
    assert not (await police.changes.ListChanges(request)).changes
    with refused("METHOD_NOT_ALLOWED"):
        await registry.administrator.changes.ReceiveChanges(change_service_pb2.ReceiveChangesRequest(revisions=numbers))


async def test_the_trail_is_read_and_verified_by_its_administrator_alone(registry: Any) -> None:
    await create_lot(registry)
    trail = await registry.auditor.audit.ListAuditEntries(audit_service_pb2.ListAuditEntriesRequest(newest_first=True))
    assert (trail.entries[0].action, trail.entries[0].target) == ("RegistryService.CreateLot", "lots/lot-1")
    request = audit_service_pb2.VerifyAuditTrailRequest()
    verdict = await registry.auditor.audit.VerifyAuditTrail(request)
    assert verdict.intact
    assert verdict.head_hash == trail.entries[0].hash
    for other in (registry.administrator, registry.security, registry.vendor("vendor-1")):
        with refused("METHOD_NOT_ALLOWED"):
            await other.audit.VerifyAuditTrail(request)
        with refused("METHOD_NOT_ALLOWED"):
            await other.audit.ListAuditEntries(audit_service_pb2.ListAuditEntriesRequest())
