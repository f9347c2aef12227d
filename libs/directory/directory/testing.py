"""A registry for the tests of services: a real DirectoryService over facts that the test states."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from mesh.instants import time_of
from parkmesh.registry.v1 import (
    berth_pb2,
    change_service_pb2,
    coordinate_pb2,
    device_pb2,
    directory_service_pb2,
    directory_service_pb2_grpc,
    gate_pb2,
    lot_pb2,
    operator_pb2,
    role_pb2,
    rule_pb2,
    vendor_pb2,
)
from vocabulary import coordinate

_CHUNK = 500
_SIGN_OF_LIFE_S = 2.0

Statement = (
    operator_pb2.Operator
    | lot_pb2.Lot
    | gate_pb2.Gate
    | device_pb2.Device
    | berth_pb2.Berth
    | vendor_pb2.Vendor
    | directory_service_pb2.DirectoryAccount
    | vendor_pb2.Credential
    | vendor_pb2.Grant
    | rule_pb2.Rule
)


class StatedRegistry(directory_service_pb2_grpc.DirectoryServiceServicer):
    """Serves what was stated, in the order it was stated, as the registry would."""

    def __init__(self, *facts: Statement, epoch: str = "epoch-1") -> None:
        self._epoch = epoch
        self._changes: list[directory_service_pb2.DirectoryChange] = []
        self._moved = asyncio.Event()
        self.state(*facts)

    def state(self, *facts: Statement) -> int:
        """Makes the facts known to every watcher; returns the revision they reach."""
        for fact in facts:
            change = directory_service_pb2.DirectoryChange()
            getattr(change, type(fact).__name__.removeprefix("Directory").lower()).CopyFrom(fact)
            self._changes.append(change)
        self._moved.set()
        self._moved = asyncio.Event()
        return len(self._changes)

    async def WatchDirectory(
        self,
        request: directory_service_pb2.WatchDirectoryRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[directory_service_pb2.WatchDirectoryResponse]:
        """As the proto says."""
        snapshot = request.epoch != self._epoch or request.since_revision > len(self._changes)
        done = 0 if snapshot else request.since_revision
        wanted = {change_service_pb2.FactKind.Name(kind).removeprefix("FACT_KIND_").lower() for kind in request.kinds}
        while True:
            chunk = self._changes[done : done + _CHUNK]
            done += len(chunk)
            if wanted:
                chunk = [change for change in chunk if change.WhichOneof("fact") in wanted]
            synced = done == len(self._changes)
            moved = self._moved
            yield directory_service_pb2.WatchDirectoryResponse(
                epoch=self._epoch, revision=done, snapshot=snapshot, synced=synced, changes=chunk
            )
            snapshot = False
            while done == len(self._changes) and moved is self._moved:
                try:
                    await asyncio.wait_for(moved.wait(), _SIGN_OF_LIFE_S)
                except TimeoutError:
                    break


def lot(lot_id: str, **facts: Any) -> lot_pb2.Lot:
    """An active public lot in 城厢区 with 100 berths, unless stated otherwise; a coordinate gets its position."""
    stated: dict[str, Any] = {
        "registration_number": f"R-{lot_id}",
        "name": f"停车场 {lot_id}",
        "type": lot_pb2.LOT_TYPE_PUBLIC,
        "division_code": "350302",
        "open_berths": 100,
        "state": lot_pb2.LOT_STATE_ACTIVE,
    }
    made = lot_pb2.Lot(lot_id=lot_id, **(stated | facts))
    if made.HasField("coordinate"):
        made.position.CopyFrom(position(made.coordinate))
    return made


def position(given: coordinate_pb2.Coordinate) -> coordinate_pb2.Position:
    """The point in the systems that services need, as the registry converts it."""
    point = coordinate.Coordinate(coordinate.CoordinateSystem(given.system), given.latitude, given.longitude)
    wgs84, gcj02 = (
        coordinate.convert(point, system)
        for system in (coordinate.CoordinateSystem.WGS84, coordinate.CoordinateSystem.GCJ02)
    )
    return coordinate_pb2.Position(
        wgs84=coordinate_pb2.LatitudeLongitude(latitude=wgs84.latitude, longitude=wgs84.longitude),
        gcj02=coordinate_pb2.LatitudeLongitude(latitude=gcj02.latitude, longitude=gcj02.longitude),
    )


def gate(lot_id: str, gate_id: str, **lanes: gate_pb2.LaneDirection.ValueType) -> gate_pb2.Gate:
    """A gate with lanes by number, e.g. `gate("lot_1", "g1", in1=gate_pb2.LANE_DIRECTION_ENTRY)`."""
    stated = [gate_pb2.Lane(lane_id=lane_id, direction=direction) for lane_id, direction in lanes.items()]
    return gate_pb2.Gate(lot_id=lot_id, gate_id=gate_id, name="文献路一号出入口", lanes=stated)


def device(lot_id: str, device_id: str) -> device_pb2.Device:
    """A camera."""
    return device_pb2.Device(lot_id=lot_id, device_id=device_id, type=device_pb2.DEVICE_TYPE_CAMERA)


def berth(lot_id: str, berth_id: str) -> berth_pb2.Berth:
    """A berth for small vehicles."""
    return berth_pb2.Berth(lot_id=lot_id, berth_id=berth_id, berth_class=lot_pb2.BERTH_CLASS_SMALL)


def operator(operator_id: str) -> operator_pb2.Operator:
    """An operator."""
    return operator_pb2.Operator(operator_id=operator_id, name=operator_id)


def vendor(vendor_id: str, **facts: Any) -> vendor_pb2.Vendor:
    """A vendor at the platform's default rate, unless stated otherwise."""
    return vendor_pb2.Vendor(vendor_id=vendor_id, **({"name": vendor_id} | facts))


def account(
    account_id: str, role: role_pb2.Role.ValueType, *lot_ids: str, active: bool = True
) -> directory_service_pb2.DirectoryAccount:
    """A person's account, with a collector's lots."""
    return directory_service_pb2.DirectoryAccount(account_id=account_id, role=role, active=active, lot_ids=lot_ids)


def credential(
    client_id: str,
    subject_id: str,
    *,
    role: role_pb2.Role.ValueType = role_pb2.ROLE_VENDOR,
    account_id: str = "",
    method: vendor_pb2.CredentialMethod.ValueType = vendor_pb2.CREDENTIAL_METHOD_SECRET,
    expire_ms: int | None = None,
    revoked: bool = False,
) -> vendor_pb2.Credential:
    """A vendor's credential with a secret, good for ever unless stated otherwise."""
    return vendor_pb2.Credential(
        client_id=client_id,
        role=role,
        subject_id=subject_id,
        account_id=account_id,
        method=method,
        expire_time=None if expire_ms is None else time_of(expire_ms),
        revoked=revoked,
    )


def rule(
    rule_id: str,
    name: rule_pb2.RuleName.ValueType,
    *,
    number: int = 0,
    text: str = "",
    start_ms: int = 0,
    end_ms: int | None = None,
) -> rule_pb2.Rule:
    """A rule since 1970 and for ever, unless stated otherwise."""
    return rule_pb2.Rule(
        rule_id=rule_id,
        name=name,
        number=number,
        text=text,
        basis="莆公规〔2024〕1号",
        start_time=time_of(start_ms),
        end_time=None if end_ms is None else time_of(end_ms),
    )


def grant(vendor_id: str, lot_id: str, *, start_ms: int = 0, end_ms: int | None = None) -> vendor_pb2.Grant:
    """A grant since 1970 and for ever, unless stated otherwise."""
    end_time = None if end_ms is None else time_of(end_ms)
    return vendor_pb2.Grant(vendor_id=vendor_id, lot_id=lot_id, start_time=time_of(start_ms), end_time=end_time)
