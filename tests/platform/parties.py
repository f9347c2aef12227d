"""Two of everybody on a running platform: a vendor, an operator's person, a device, a collector, each with a lot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pyotp
from google.protobuf.message import Message
from local_platform.testing import RunningPlatform
from mesh.caller import CallerKind
from parkmesh.access.v1 import (
    access_record_service_pb2_grpc,
    export_pb2,
    export_service_pb2,
    export_service_pb2_grpc,
    record_pb2,
)
from parkmesh.access.v1.access_record_service_pb2 import UploadRecordsRequest
from parkmesh.annotations.v1 import resource_pb2
from parkmesh.registry.v1 import (
    account_pb2,
    account_service_pb2,
    account_service_pb2_grpc,
    berth_pb2,
    device_pb2,
    gate_pb2,
    lot_pb2,
    operator_pb2,
    registry_service_pb2,
    registry_service_pb2_grpc,
    role_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
    vendor_pb2,
    vendor_service_pb2,
    vendor_service_pb2_grpc,
)
from vocabulary import credit_code

from tests.platform.matrix import Ids

PASSWORD: Final = "matrix 停车 password"


@dataclass(frozen=True)
class Party:
    """Somebody who calls, and everything that is theirs."""

    token: str
    ids: Ids


@dataclass(frozen=True)
class Parties:
    """Two of each kind, who have nothing in common."""

    channel: grpc.aio.Channel
    own: dict[CallerKind, Party]
    other: dict[CallerKind, Party]

    async def call(self, party: Party, path: str, request: Message, answer: type[Message], *, stream: bool) -> Message:
        """The (first) answer; AioRpcError."""
        metadata = (("authorization", f"Bearer {party.token}"),)
        coding: Any = {
            "request_serializer": lambda message: message.SerializeToString(),
            "response_deserializer": answer.FromString,
        }
        if not stream:
            found: Message = await self.channel.unary_unary(path, **coding)(request, metadata=metadata, timeout=20)
            return found

        async def once() -> AsyncIterator[Message]:
            yield request

        answers = self.channel.stream_stream(path, **coding)(once(), metadata=metadata, timeout=20)
        (found,) = [each async for each in answers]
        return found


@contextlib.asynccontextmanager
async def settled(platform: RunningPlatform) -> AsyncIterator[Parties]:
    """The parties, registered on the platform, their first record taken."""
    edge = platform.demo["edge"]
    trusted = grpc.ssl_channel_credentials(await asyncio.to_thread(Path(edge["ca"]).read_bytes))
    async with grpc.aio.secure_channel(edge["grpc"], trusted) as channel:
        desk = _Desk(channel, platform.demo)
        own, other = await desk.settle("a"), await desk.settle("b")
        yield Parties(channel, own, other)


class _Desk:
    def __init__(self, channel: grpc.aio.Channel, demo: Any) -> None:
        self._demo = demo
        self._records = access_record_service_pb2_grpc.AccessRecordServiceStub(channel)
        self._exports = export_service_pb2_grpc.ExportServiceStub(channel)
        self._register = registry_service_pb2_grpc.RegistryServiceStub(channel)
        self._vendors = vendor_service_pb2_grpc.VendorServiceStub(channel)
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)
        self._sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        self._tokens = token_service_pb2_grpc.TokenServiceStub(channel)

    async def settle(self, name: str) -> dict[CallerKind, Party]:
        system, security = await self._as("administrator"), await self._as("securityAdministrator")
        body = f"913503{'0' * 10}{'12'['ab'.index(name)]}"
        code = body + credit_code.check_character(body)
        operator = await self._register.CreateOperator(
            registry_service_pb2.CreateOperatorRequest(
                operator=operator_pb2.Operator(name=f"矩阵公司 {name}", credit_code=code)
            ),
            metadata=system,
        )
        lot = await self._register.CreateLot(
            registry_service_pb2.CreateLotRequest(
                lot=lot_pb2.Lot(
                    registration_number=f"parties-{name}",
                    name="矩阵停车场",
                    type=lot_pb2.LOT_TYPE_PUBLIC,
                    division_code="350302",
                    state=lot_pb2.LOT_STATE_ACTIVE,
                    operator_id=operator.operator_id,
                )
            ),
            metadata=system,
        )
        await self._furnish(lot.lot_id, name, system)
        vendor = await self._vendors.CreateVendor(
            vendor_service_pb2.CreateVendorRequest(
                vendor=vendor_pb2.Vendor(name=f"矩阵厂商 {name}", requests_per_second=100_000)
            ),
            metadata=system,
        )
        vendors_own = await self._vendors.RotateCredential(
            vendor_service_pb2.RotateCredentialRequest(vendor_id=vendor.vendor_id), metadata=security
        )
        devices_own = await self._register.RotateDeviceCredential(
            registry_service_pb2.RotateDeviceCredentialRequest(lot_id=lot.lot_id, device_id=f"caller-{name}"),
            metadata=security,
        )
        await self._vendors.GrantLot(
            vendor_service_pb2.GrantLotRequest(vendor_id=vendor.vendor_id, lot_id=lot.lot_id), metadata=security
        )
        ids: Ids = {
            resource_pb2.RESOURCE_LOT: lot.lot_id,
            resource_pb2.RESOURCE_GATE: f"g-{name}",
            resource_pb2.RESOURCE_LANE: f"l-{name}",
            resource_pb2.RESOURCE_DEVICE: f"d-{name}",
            resource_pb2.RESOURCE_BERTH: f"b-{name}",
            resource_pb2.RESOURCE_OPERATOR: operator.operator_id,
            resource_pb2.RESOURCE_VENDOR: vendor.vendor_id,
            resource_pb2.RESOURCE_CREDENTIAL: vendors_own.credential.client_id,
            resource_pb2.RESOURCE_RECORD: f"r-{name}",
            resource_pb2.RESOURCE_SURVEY: f"s-{name}",
            resource_pb2.RESOURCE_ACCOUNT: f"nobody-{name}",
            resource_pb2.RESOURCE_RULE: f"nobody-{name}",
        }
        operators = account_pb2.Account(role=role_pb2.ROLE_OPERATOR, operator_id=operator.operator_id)
        collectors = account_pb2.Account(role=role_pb2.ROLE_COLLECTOR, lot_ids=[lot.lot_id])
        parties = {
            CallerKind.VENDOR: Party(await self._token(vendors_own), ids),
            CallerKind.DEVICE: Party(await self._token(devices_own), ids),
            CallerKind.OPERATOR: Party(await self._person(f"operator-{name}", operators, security), ids),
            CallerKind.COLLECTOR: Party(await self._person(f"collector-{name}", collectors, security), ids),
        }
        await self._first_record(parties[CallerKind.VENDOR], name)
        ids[resource_pb2.RESOURCE_EXPORT] = await self._export(parties[CallerKind.OPERATOR])
        return parties

    async def _furnish(self, lot_id: str, name: str, system: Any) -> None:
        lane = gate_pb2.Lane(lane_id=f"l-{name}", direction=gate_pb2.LANE_DIRECTION_BOTH)
        gate = gate_pb2.Gate(gate_id=f"g-{name}", name="文献路一号入口", lanes=[lane])
        berth = berth_pb2.Berth(berth_id=f"b-{name}", berth_class=lot_pb2.BERTH_CLASS_SMALL)
        messages = registry_service_pb2
        await self._register.CreateGate(messages.CreateGateRequest(lot_id=lot_id, gate=gate), metadata=system)
        await self._register.CreateBerth(messages.CreateBerthRequest(lot_id=lot_id, berth=berth), metadata=system)
        for device_id in (f"d-{name}", f"caller-{name}"):
            camera = device_pb2.DEVICE_TYPE_CAMERA
            device = device_pb2.Device(device_id=device_id, type=camera, gate_id=f"g-{name}")
            request = messages.CreateDeviceRequest(lot_id=lot_id, device=device)
            await self._register.CreateDevice(request, metadata=system)

    async def _export(self, party: Party) -> str:
        request = export_service_pb2.RequestExportRequest(
            view=export_pb2.EXPORT_VIEW_RECORDS,
            format=export_pb2.EXPORT_FORMAT_CSV,
            start_date="2100-01-31",
            purpose="矩阵",
        )
        bearer = (("authorization", f"Bearer {party.token}"),)
        return str((await self._exports.RequestExport(request, metadata=bearer)).export_id)

    async def _first_record(self, party: Party, name: str) -> None:
        record = record_pb2.AccessRecord(
            record_id=f"r-{name}",
            lot_id=party.ids[resource_pb2.RESOURCE_LOT],
            direction=record_pb2.DIRECTION_ENTRY,
            plate_state=record_pb2.PLATE_STATE_UNREAD,
            vehicle_class=record_pb2.VEHICLE_CLASS_SMALL,
            gate_id=f"g-{name}",
            lane_id=f"l-{name}",
        )
        record.event_time.FromMilliseconds(1_790_000_000_000)
        bearer = (("authorization", f"Bearer {party.token}"),)
        for _ in range(100):  # news of the grant reaches the service a moment later
            answer = await self._records.UploadRecords(UploadRecordsRequest(records=[record]), metadata=bearer)
            if answer.all_stored:
                return
        raise AssertionError(f"the first record was not taken: {answer}")

    async def _as(self, who: str) -> Any:
        told = self._demo[who]
        return (("authorization", f"Bearer {await self._issued(told['clientId'], told['clientSecret'])}"),)

    async def _token(self, rotated: Any) -> str:
        return await self._issued(rotated.credential.client_id, rotated.client_secret)

    async def _issued(self, client_id: str, secret: str) -> str:
        request = token_service_pb2.IssueTokenRequest(client_id=client_id, client_secret=secret)
        return str((await self._tokens.IssueToken(request)).access_token)

    async def _person(self, login: str, account: account_pb2.Account, security: Any) -> str:
        account.login, account.name, account.person_number = login, login, login
        invited = await self._accounts.CreateAccount(
            account_service_pb2.CreateAccountRequest(account=account), metadata=security
        )
        activated = await self._sessions.ActivateAccount(
            session_service_pb2.ActivateAccountRequest(activation_code=invited.activation_code, password=PASSWORD)
        )
        opened = await self._sessions.Login(
            session_service_pb2.LoginRequest(
                login=login, password=PASSWORD, totp=pyotp.TOTP(activated.totp_secret).now()
            )
        )
        return str(opened.access_token)
