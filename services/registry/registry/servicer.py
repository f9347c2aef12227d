"""The gRPC face: convert, call, convert."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from mesh import paging
from mesh.caller import current
from parkmesh.registry.v1 import (
    directory_service_pb2,
    directory_service_pb2_grpc,
    lot_pb2,
    registry_service_pb2,
    registry_service_pb2_grpc,
    token_service_pb2,
    token_service_pb2_grpc,
    vendor_pb2,
    vendor_service_pb2,
    vendor_service_pb2_grpc,
)

from registry import convert
from registry.feed import Feed
from registry.lots import Lots
from registry.tokens import Tokens
from registry.vendors import Vendors

Context = grpc.aio.ServicerContext[Any, Any]
_Listing = (
    registry_service_pb2.ListLotsRequest | registry_service_pb2.ListGatesRequest | vendor_service_pb2.ListVendorsRequest
)


class RegistryServicer(registry_service_pb2_grpc.RegistryServiceServicer):
    """Lots and gates."""

    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    async def CreateLot(self, request: registry_service_pb2.CreateLotRequest, context: Context) -> lot_pb2.Lot:
        """As the proto says, here and in every method below."""
        return convert.lot(await self._lots.create_lot(current(), convert.lot_to_create(request)))

    async def GetLot(self, request: registry_service_pb2.GetLotRequest, context: Context) -> lot_pb2.Lot:
        """As the proto says."""
        return convert.lot(await self._lots.lot(current(), request.lot_id))

    async def ListLots(
        self, request: registry_service_pb2.ListLotsRequest, context: Context
    ) -> registry_service_pb2.ListLotsResponse:
        """As the proto says."""
        after, size = _place(request)
        lots = await self._lots.lots(current(), after, size + 1)
        return registry_service_pb2.ListLotsResponse(
            lots=map(convert.lot, lots[:size]), next_page_token=_next(request, size, [lot.lot_id for lot in lots])
        )

    async def CreateGate(self, request: registry_service_pb2.CreateGateRequest, context: Context) -> lot_pb2.Gate:
        """As the proto says."""
        return convert.gate(await self._lots.create_gate(current(), convert.gate_to_create(request)))

    async def ListGates(
        self, request: registry_service_pb2.ListGatesRequest, context: Context
    ) -> registry_service_pb2.ListGatesResponse:
        """As the proto says."""
        after, size = _place(request)
        gates = await self._lots.gates(current(), request.lot_id, after, size + 1)
        return registry_service_pb2.ListGatesResponse(
            gates=map(convert.gate, gates[:size]),
            next_page_token=_next(request, size, [gate.gate_id for gate in gates]),
        )


class VendorServicer(vendor_service_pb2_grpc.VendorServiceServicer):
    """Vendors, credentials and grants."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors

    async def CreateVendor(
        self, request: vendor_service_pb2.CreateVendorRequest, context: Context
    ) -> vendor_pb2.Vendor:
        """As the proto says."""
        return convert.vendor(await self._vendors.create(current(), convert.vendor_to_create(request)))

    async def GetVendor(self, request: vendor_service_pb2.GetVendorRequest, context: Context) -> vendor_pb2.Vendor:
        """As the proto says."""
        return convert.vendor(await self._vendors.vendor(request.vendor_id))

    async def ListVendors(
        self, request: vendor_service_pb2.ListVendorsRequest, context: Context
    ) -> vendor_service_pb2.ListVendorsResponse:
        """As the proto says."""
        after, size = _place(request)
        vendors = await self._vendors.vendors(after, size + 1)
        return vendor_service_pb2.ListVendorsResponse(
            vendors=map(convert.vendor, vendors[:size]),
            next_page_token=_next(request, size, [vendor.vendor_id for vendor in vendors]),
        )

    async def RotateCredential(
        self, request: vendor_service_pb2.RotateCredentialRequest, context: Context
    ) -> vendor_service_pb2.RotateCredentialResponse:
        """As the proto says."""
        credential, secret = await self._vendors.rotate_credential(
            current(), request.vendor_id, request.overlap_seconds * 1000
        )
        return vendor_service_pb2.RotateCredentialResponse(
            credential=convert.credential(credential), client_secret=secret
        )

    async def RevokeCredential(
        self, request: vendor_service_pb2.RevokeCredentialRequest, context: Context
    ) -> vendor_pb2.Credential:
        """As the proto says."""
        return convert.credential(
            await self._vendors.revoke_credential(current(), request.vendor_id, request.client_id)
        )

    async def GrantLot(self, request: vendor_service_pb2.GrantLotRequest, context: Context) -> vendor_pb2.Grant:
        """As the proto says."""
        start_ms, end_ms = convert.times_of_grant(request)
        return convert.grant(
            await self._vendors.grant_lot(current(), request.vendor_id, request.lot_id, start_ms, end_ms)
        )

    async def RevokeGrant(self, request: vendor_service_pb2.RevokeGrantRequest, context: Context) -> vendor_pb2.Grant:
        """As the proto says."""
        return convert.grant(await self._vendors.revoke_grant(current(), request.vendor_id, request.lot_id))


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """Access tokens."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def IssueToken(
        self, request: token_service_pb2.IssueTokenRequest, context: Context
    ) -> token_service_pb2.IssueTokenResponse:
        """As the proto says."""
        return convert.token(await self._tokens.issue(request.client_id, request.client_secret))


class DirectoryServicer(directory_service_pb2_grpc.DirectoryServiceServicer):
    """What the other services watch."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def WatchDirectory(
        self, request: directory_service_pb2.WatchDirectoryRequest, context: Context
    ) -> AsyncIterator[directory_service_pb2.WatchDirectoryResponse]:
        """As the proto says."""
        async with aclosing(self._feed.watch(request.epoch, request.since_revision)) as pages:
            async for page in pages:
                yield convert.page(page)


def _place(request: _Listing) -> tuple[str, int]:
    """After which key the page begins, and how many it holds."""
    after = paging.decode(request.page_token, request)
    return (after[0] if after else ""), paging.page_size(request.page_size)


def _next(request: _Listing, size: int, keys: list[str]) -> str:
    """The token of the next page; empty when one more than the page holds was asked for and not found."""
    return paging.encode(request, keys[size - 1 : size]) if len(keys) > size else ""
