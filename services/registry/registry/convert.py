"""Protos to values and back: pure and total over what the proto's rules let through."""

from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import (
    directory_service_pb2,
    lot_pb2,
    registry_service_pb2,
    token_service_pb2,
    vendor_pb2,
    vendor_service_pb2,
)

from registry.domain import (
    Coordinate,
    CoordinateSystem,
    Credential,
    Fact,
    Gate,
    Grant,
    Lane,
    LaneDirection,
    Lot,
    LotState,
    LotType,
    Page,
    Role,
    Vendor,
)
from registry.errors import InvalidField
from registry.tokens import Token

E = TypeVar("E", bound=StrEnum)


def lot_to_create(request: registry_service_pb2.CreateLotRequest) -> Lot:
    """The lot to register, without an id yet. InvalidField when it brings one."""
    _left_out(not request.lot.lot_id, "lot.lotId")
    _left_out(not request.lot.HasField("create_time"), "lot.createTime")
    lot = request.lot
    at = lot.coordinate
    return Lot(
        lot_id="",
        registration_number=lot.registration_number,
        name=lot.name,
        type=_value(LotType, lot_pb2.LotType, lot.type),
        division_code=lot.division_code,
        address=lot.address,
        coordinate=(
            Coordinate(at.latitude, at.longitude, _value(CoordinateSystem, lot_pb2.CoordinateSystem, at.system))
            if lot.HasField("coordinate")
            else None
        ),
        open_berths=lot.open_berths,
        state=_value(LotState, lot_pb2.LotState, lot.state or lot_pb2.LOT_STATE_PENDING),
        create_ms=0,
    )


def gate_to_create(request: registry_service_pb2.CreateGateRequest) -> Gate:
    """The gate to register. InvalidField when it names another lot."""
    if request.gate.lot_id not in ("", request.lot_id):
        raise InvalidField("gate.lotId", "lot.same", "must be left out or name the lot of the request")
    lanes = (
        Lane(lane.lane_id, _value(LaneDirection, lot_pb2.LaneDirection, lane.direction)) for lane in request.gate.lanes
    )
    return Gate(request.lot_id, request.gate.gate_id, request.gate.name, tuple(lanes))


def vendor_to_create(request: vendor_service_pb2.CreateVendorRequest) -> Vendor:
    """The vendor to register, without an id yet. InvalidField when it brings one."""
    _left_out(not request.vendor.vendor_id, "vendor.vendorId")
    _left_out(not request.vendor.HasField("create_time"), "vendor.createTime")
    role = _value(Role, vendor_pb2.Role, request.vendor.role or vendor_pb2.ROLE_VENDOR)
    return Vendor("", request.vendor.name, role, request.vendor.requests_per_second, create_ms=0)


def times_of_grant(request: vendor_service_pb2.GrantLotRequest) -> tuple[int | None, int | None]:
    """Start and end in epoch milliseconds; None where they are left out."""
    start_ms = _ms(request.start_time) if request.HasField("start_time") else None
    end_ms = _ms(request.end_time) if request.HasField("end_time") else None
    return start_ms, end_ms


def lot(value: Lot) -> lot_pb2.Lot:
    """The lot as the proto has it."""
    at = value.coordinate
    return lot_pb2.Lot(
        lot_id=value.lot_id,
        registration_number=value.registration_number,
        name=value.name,
        type=lot_pb2.LotType.Value(f"LOT_TYPE_{value.type}"),
        division_code=value.division_code,
        address=value.address,
        coordinate=None
        if at is None
        else lot_pb2.Coordinate(
            latitude=at.latitude,
            longitude=at.longitude,
            system=lot_pb2.CoordinateSystem.Value(f"COORDINATE_SYSTEM_{at.system}"),
        ),
        open_berths=value.open_berths,
        state=lot_pb2.LotState.Value(f"LOT_STATE_{value.state}"),
        create_time=_timestamp(value.create_ms),
    )


def gate(value: Gate) -> lot_pb2.Gate:
    """The gate as the proto has it."""
    lanes = [
        lot_pb2.Lane(lane_id=lane.lane_id, direction=lot_pb2.LaneDirection.Value(f"LANE_DIRECTION_{lane.direction}"))
        for lane in value.lanes
    ]
    return lot_pb2.Gate(lot_id=value.lot_id, gate_id=value.gate_id, name=value.name, lanes=lanes)


def vendor(value: Vendor) -> vendor_pb2.Vendor:
    """The vendor as the proto has it."""
    return vendor_pb2.Vendor(
        vendor_id=value.vendor_id,
        name=value.name,
        role=vendor_pb2.Role.Value(f"ROLE_{value.role}"),
        requests_per_second=value.requests_per_second,
        create_time=_timestamp(value.create_ms),
    )


def credential(value: Credential) -> vendor_pb2.Credential:
    """The credential as the proto has it."""
    return vendor_pb2.Credential(
        client_id=value.client_id,
        vendor_id=value.vendor_id,
        create_time=_timestamp(value.create_ms),
        expire_time=None if value.expire_ms is None else _timestamp(value.expire_ms),
        revoked=value.revoked,
    )


def grant(value: Grant) -> vendor_pb2.Grant:
    """The grant as the proto has it."""
    return vendor_pb2.Grant(
        vendor_id=value.vendor_id,
        lot_id=value.lot_id,
        start_time=_timestamp(value.start_ms),
        end_time=None if value.end_ms is None else _timestamp(value.end_ms),
    )


def token(value: Token) -> token_service_pb2.IssueTokenResponse:
    """The token as the proto has it."""
    return token_service_pb2.IssueTokenResponse(
        access_token=value.text,
        token_type="Bearer",  # noqa: S106 - the word that the proto promises
        expires_in=value.expires_in,
        expire_time=_timestamp(value.expire_ms),
    )


def page(value: Page) -> directory_service_pb2.WatchDirectoryResponse:
    """The page as a watcher gets it."""
    return directory_service_pb2.WatchDirectoryResponse(
        epoch=value.epoch,
        revision=value.revision,
        snapshot=value.snapshot,
        synced=value.complete,
        changes=map(_change, value.facts),
    )


def _change(fact: Fact) -> directory_service_pb2.DirectoryChange:
    match fact:
        case Lot():
            return directory_service_pb2.DirectoryChange(lot=lot(fact))
        case Gate():
            return directory_service_pb2.DirectoryChange(gate=gate(fact))
        case Vendor():
            return directory_service_pb2.DirectoryChange(vendor=vendor(fact))
        case Credential():
            return directory_service_pb2.DirectoryChange(credential=credential(fact))
        case Grant():
            return directory_service_pb2.DirectoryChange(grant=grant(fact))


def _value(values: type[E], names: Any, number: int) -> E:
    """The value whose name, without the prefix that the proto gives it, is the number's."""
    prefix = names.Name(0).removesuffix("UNSPECIFIED")
    return values(names.Name(number).removeprefix(prefix))


def _left_out(is_left_out: bool, field: str) -> None:
    if not is_left_out:
        raise InvalidField(field, "left_out", "must be left out: the platform sets it")


def _ms(time: Timestamp) -> int:
    return time.seconds * 1000 + time.nanos // 1_000_000


def _timestamp(ms: int) -> Timestamp:
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)
