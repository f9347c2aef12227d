"""Operators, lots, gates, devices and berths."""

from typing import Any

from mesh.boundary import Context
from mesh.caller import current
from parkmesh.registry.v1 import registry_service_pb2 as messages
from parkmesh.registry.v1 import registry_service_pb2_grpc
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.device_pb2 import Device
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.operator_pb2 import Operator

from registry.identity.device_credentials import DeviceCredentials
from registry.servicers.requests import effective, moment, next_token, place
from registry.static.moments import Moment
from registry.static.register import Register
from registry.storage.kinds import BERTH, DEVICE, GATE, Kind, M


class RegistryServicer(registry_service_pb2_grpc.RegistryServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, register: Register, device_credentials: DeviceCredentials) -> None:
        self._register = register
        self._device_credentials = device_credentials

    async def CreateOperator(self, request: messages.CreateOperatorRequest, context: Context) -> Operator:
        """See the proto, here and below."""
        return await self._register.create_operator(
            current(), request.operator, reason=request.reason, effective_ms=effective(request)
        )

    async def GetOperator(self, request: messages.GetOperatorRequest, context: Context) -> Operator:
        """See the proto."""
        return await self._register.operator(current(), request.operator_id, moment(request))

    async def ListOperators(
        self, request: messages.ListOperatorsRequest, context: Context
    ) -> messages.ListOperatorsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._register.operators(current(), after, size + 1, moment(request))
        return messages.ListOperatorsResponse(
            operators=[operator for _, operator in found[:size]],
            next_page_token=next_token(request, size, [key for key, _ in found]),
        )

    async def UpdateOperator(self, request: messages.UpdateOperatorRequest, context: Context) -> Operator:
        """See the proto."""
        return await self._register.update_operator(
            current(),
            request.operator_id,
            request.operator,
            request.update_mask,
            reason=request.reason,
            effective_ms=effective(request),
        )

    async def CreateLot(self, request: messages.CreateLotRequest, context: Context) -> Lot:
        """See the proto."""
        return await self._register.create_lot(
            current(), request.lot, reason=request.reason, effective_ms=effective(request)
        )

    async def GetLot(self, request: messages.GetLotRequest, context: Context) -> Lot:
        """See the proto."""
        return await self._register.lot(current(), request.lot_id, moment(request))

    async def ListLots(self, request: messages.ListLotsRequest, context: Context) -> messages.ListLotsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._register.lots(
            current(),
            after,
            size + 1,
            moment(request),
            operator_id=request.operator_id,
            division_code=request.division_code,
            state=request.state,
        )
        return messages.ListLotsResponse(
            lots=[lot for _, lot in found[:size]],
            next_page_token=next_token(request, size, [key for key, _ in found]),
        )

    async def UpdateLot(self, request: messages.UpdateLotRequest, context: Context) -> Lot:
        """See the proto."""
        return await self._register.update_lot(
            current(),
            request.lot_id,
            request.lot,
            request.update_mask,
            reason=request.reason,
            effective_ms=effective(request),
        )

    async def SubmitLot(self, request: messages.SubmitLotRequest, context: Context) -> Lot:
        """See the proto."""
        return await self._register.submit_lot(current(), request.lot_id, request.etag)

    async def ReviewLot(self, request: messages.ReviewLotRequest, context: Context) -> Lot:
        """See the proto."""
        return await self._register.review_lot(current(), request.lot_id, request.state, request.comment, request.etag)

    async def CreateGate(self, request: messages.CreateGateRequest, context: Context) -> Gate:
        """See the proto."""
        return await self._create(request, request.gate)

    async def GetGate(self, request: messages.GetGateRequest, context: Context) -> Gate:
        """See the proto."""
        return await self._register.part(current(), GATE, request.lot_id, request.gate_id, moment(request))

    async def ListGates(self, request: messages.ListGatesRequest, context: Context) -> messages.ListGatesResponse:
        """See the proto."""
        gates, token = await self._list(request, GATE)
        return messages.ListGatesResponse(gates=gates, next_page_token=token)

    async def UpdateGate(self, request: messages.UpdateGateRequest, context: Context) -> Gate:
        """See the proto."""
        return await self._update(request, request.gate_id, request.gate)

    async def CreateDevice(self, request: messages.CreateDeviceRequest, context: Context) -> Device:
        """See the proto."""
        return await self._create(request, request.device)

    async def GetDevice(self, request: messages.GetDeviceRequest, context: Context) -> Device:
        """See the proto."""
        return await self._register.part(current(), DEVICE, request.lot_id, request.device_id, moment(request))

    async def ListDevices(self, request: messages.ListDevicesRequest, context: Context) -> messages.ListDevicesResponse:
        """See the proto."""
        devices, token = await self._list(request, DEVICE)
        return messages.ListDevicesResponse(devices=devices, next_page_token=token)

    async def UpdateDevice(self, request: messages.UpdateDeviceRequest, context: Context) -> Device:
        """See the proto."""
        return await self._update(request, request.device_id, request.device)

    async def RotateDeviceCredential(
        self, request: messages.RotateDeviceCredentialRequest, context: Context
    ) -> messages.RotateDeviceCredentialResponse:
        """See the proto."""
        await self._register.part(current(), DEVICE, request.lot_id, request.device_id, Moment())
        issued = await self._device_credentials.rotate(
            current(), request.lot_id, request.device_id, request.method, request.overlap_seconds * 1000
        )
        return messages.RotateDeviceCredentialResponse(
            credential=issued.credential, client_secret=issued.secret.reveal()
        )

    async def CreateBerth(self, request: messages.CreateBerthRequest, context: Context) -> Berth:
        """See the proto."""
        return await self._create(request, request.berth)

    async def GetBerth(self, request: messages.GetBerthRequest, context: Context) -> Berth:
        """See the proto."""
        return await self._register.part(current(), BERTH, request.lot_id, request.berth_id, moment(request))

    async def ListBerths(self, request: messages.ListBerthsRequest, context: Context) -> messages.ListBerthsResponse:
        """See the proto."""
        berths, token = await self._list(request, BERTH)
        return messages.ListBerthsResponse(berths=berths, next_page_token=token)

    async def UpdateBerth(self, request: messages.UpdateBerthRequest, context: Context) -> Berth:
        """See the proto."""
        return await self._update(request, request.berth_id, request.berth)

    async def _create(self, request: Any, part: M) -> M:
        return await self._register.create_part(
            current(), request.lot_id, part, reason=request.reason, effective_ms=effective(request)
        )

    async def _list(self, request: Any, kind: Kind[M]) -> tuple[list[M], str]:
        after, size = place(request)
        found = await self._register.parts(current(), kind, request.lot_id, after, size + 1, moment(request))
        numbers = [key.rpartition("/")[2] for key, _ in found]
        return [part for _, part in found[:size]], next_token(request, size, numbers)

    async def _update(self, request: Any, part_id: str, part: M) -> M:
        return await self._register.update_part(
            current(),
            request.lot_id,
            part_id,
            part,
            request.update_mask,
            reason=request.reason,
            effective_ms=effective(request),
        )
