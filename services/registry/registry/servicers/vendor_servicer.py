"""Vendors, their credentials and their grants."""

from mesh.boundary import Context
from mesh.caller import current
from mesh.instants import time_of
from parkmesh.registry.v1 import vendor_pb2, vendor_service_pb2_grpc
from parkmesh.registry.v1 import vendor_service_pb2 as messages

from registry.identity.credentials import Method
from registry.identity.grants import Grants
from registry.identity.onboarding import Onboarding
from registry.identity.vendor_credentials import VendorCredentials
from registry.identity.vendors import Vendors
from registry.servicers.requests import instant, next_token, place


class VendorServicer(vendor_service_pb2_grpc.VendorServiceServicer):
    """As the proto says, in every method."""

    def __init__(
        self, vendors: Vendors, credentials: VendorCredentials, onboarding: Onboarding, grants: Grants
    ) -> None:
        self._vendors = vendors
        self._credentials = credentials
        self._onboarding = onboarding
        self._grants = grants

    async def CreateVendor(self, request: messages.CreateVendorRequest, context: Context) -> vendor_pb2.Vendor:
        """See the proto."""
        return await self._vendors.create(current(), request.vendor, request.reason)

    async def GetVendor(self, request: messages.GetVendorRequest, context: Context) -> vendor_pb2.Vendor:
        """See the proto."""
        return await self._vendors.vendor(current(), request.vendor_id)

    async def ListVendors(self, request: messages.ListVendorsRequest, context: Context) -> messages.ListVendorsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._vendors.list(after, size + 1)
        return messages.ListVendorsResponse(
            vendors=found[:size], next_page_token=next_token(request, size, [each.vendor_id for each in found])
        )

    async def UpdateVendor(self, request: messages.UpdateVendorRequest, context: Context) -> vendor_pb2.Vendor:
        """See the proto."""
        return await self._vendors.update(
            current(), request.vendor_id, request.vendor, request.update_mask, request.reason
        )

    async def CreateOnboardingCode(
        self, request: messages.CreateOnboardingCodeRequest, context: Context
    ) -> messages.CreateOnboardingCodeResponse:
        """See the proto."""
        code = await self._onboarding.invite(current(), request.vendor_id, request.valid_seconds * 1000)
        return messages.CreateOnboardingCodeResponse(code=code.text.reveal(), expire_time=time_of(code.expire_ms))

    async def RotateCredential(
        self, request: messages.RotateCredentialRequest, context: Context
    ) -> messages.RotateCredentialResponse:
        """See the proto."""
        method = Method.asked_for(request.method, request.public_key_pem)
        issued = await self._credentials.rotate(current(), request.vendor_id, method, request.overlap_seconds * 1000)
        return messages.RotateCredentialResponse(credential=issued.credential, client_secret=issued.secret.reveal())

    async def RevokeCredential(
        self, request: messages.RevokeCredentialRequest, context: Context
    ) -> vendor_pb2.Credential:
        """See the proto."""
        return await self._credentials.revoke(current(), request.vendor_id, request.client_id)

    async def ListCredentials(
        self, request: messages.ListCredentialsRequest, context: Context
    ) -> messages.ListCredentialsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._credentials.list(current(), request.vendor_id, after, size + 1)
        return messages.ListCredentialsResponse(
            credentials=found[:size], next_page_token=next_token(request, size, [each.client_id for each in found])
        )

    async def GrantLot(self, request: messages.GrantLotRequest, context: Context) -> vendor_pb2.Grant:
        """See the proto."""
        start_ms, end_ms = instant(request, "start_time"), instant(request, "end_time")
        return await self._grants.give(current(), request.vendor_id, request.lot_id, start_ms, end_ms)

    async def RevokeGrant(self, request: messages.RevokeGrantRequest, context: Context) -> vendor_pb2.Grant:
        """See the proto."""
        return await self._grants.end(current(), request.vendor_id, request.lot_id)

    async def ListGrants(self, request: messages.ListGrantsRequest, context: Context) -> messages.ListGrantsResponse:
        """See the proto."""
        after, size = place(request)
        found = await self._grants.list(current(), request.vendor_id, after, size + 1)
        return messages.ListGrantsResponse(
            grants=found[:size], next_page_token=next_token(request, size, [each.lot_id for each in found])
        )
