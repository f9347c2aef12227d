"""A registry for the tests of services: a real DirectoryService over facts that the test states."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import directory_service_pb2, directory_service_pb2_grpc, lot_pb2, vendor_pb2

_CHUNK = 500
_SIGN_OF_LIFE_S = 2.0

Statement = lot_pb2.Lot | lot_pb2.Gate | vendor_pb2.Vendor | vendor_pb2.Credential | vendor_pb2.Grant


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
            getattr(change, type(fact).__name__.lower()).CopyFrom(fact)
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
        while True:
            chunk = self._changes[done : done + _CHUNK]
            done += len(chunk)
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
    """An active public lot in 城厢区 with 100 berths, unless stated otherwise."""
    stated: dict[str, Any] = {
        "registration_number": f"R-{lot_id}",
        "name": f"停车场 {lot_id}",
        "type": lot_pb2.LOT_TYPE_PUBLIC,
        "division_code": "350302",
        "open_berths": 100,
        "state": lot_pb2.LOT_STATE_ACTIVE,
    }
    return lot_pb2.Lot(lot_id=lot_id, **(stated | facts))


def gate(lot_id: str, gate_id: str, **lanes: lot_pb2.LaneDirection.ValueType) -> lot_pb2.Gate:
    """A gate with lanes by number, e.g. `gate("lot_1", "g1", in1=lot_pb2.LANE_DIRECTION_ENTRY)`."""
    stated = [lot_pb2.Lane(lane_id=lane_id, direction=direction) for lane_id, direction in lanes.items()]
    return lot_pb2.Gate(lot_id=lot_id, gate_id=gate_id, name=f"{gate_id}号出入口", lanes=stated)


def vendor(vendor_id: str, **facts: Any) -> vendor_pb2.Vendor:
    """A vendor at the platform's default rate, unless stated otherwise."""
    stated: dict[str, Any] = {"name": vendor_id, "role": vendor_pb2.ROLE_VENDOR}
    return vendor_pb2.Vendor(vendor_id=vendor_id, **(stated | facts))


def credential(
    client_id: str, vendor_id: str, *, expire_ms: int | None = None, revoked: bool = False
) -> vendor_pb2.Credential:
    """A credential of the vendor, good for ever unless stated otherwise."""
    expire_time = None if expire_ms is None else timestamp(expire_ms)
    return vendor_pb2.Credential(client_id=client_id, vendor_id=vendor_id, expire_time=expire_time, revoked=revoked)


def grant(vendor_id: str, lot_id: str, *, start_ms: int = 0, end_ms: int | None = None) -> vendor_pb2.Grant:
    """A grant since 1970 and for ever, unless stated otherwise."""
    end_time = None if end_ms is None else timestamp(end_ms)
    return vendor_pb2.Grant(vendor_id=vendor_id, lot_id=lot_id, start_time=timestamp(start_ms), end_time=end_time)


def timestamp(ms: int) -> Timestamp:
    """Epoch milliseconds as the protos carry an instant."""
    return Timestamp(seconds=ms // 1000, nanos=ms % 1000 * 1_000_000)
