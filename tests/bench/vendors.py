"""The two administrators' desk: vendors, credentials and grants made and ended while the bench runs."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final, Self

from local_platform.testing import RunningPlatform
from parkmesh.registry.v1 import vendor_pb2
from parkmesh.registry.v1 import vendor_service_pb2 as vendors
from parkmesh.registry.v1.token_service_pb2 import IssueTokenRequest, IssueTokenResponse
from parkmesh_sdk import Client, Method
from parkmesh_sdk.method import ISSUE_TOKEN

from .stage import Metadata, client_of

_REQUESTS_PER_SECOND: Final = 20_000
_CREATE: Final = Method.of(
    vendors.DESCRIPTOR, "VendorService", "CreateVendor", vendors.CreateVendorRequest, vendor_pb2.Vendor
)
_ROTATE: Final = Method.of(
    vendors.DESCRIPTOR,
    "VendorService",
    "RotateCredential",
    vendors.RotateCredentialRequest,
    vendors.RotateCredentialResponse,
)
_REVOKE: Final = Method.of(
    vendors.DESCRIPTOR,
    "VendorService",
    "RevokeCredential",
    vendors.RevokeCredentialRequest,
    vendor_pb2.Credential,
)
_GRANT: Final = Method.of(vendors.DESCRIPTOR, "VendorService", "GrantLot", vendors.GrantLotRequest, vendor_pb2.Grant)
_REVOKE_GRANT: Final = Method.of(
    vendors.DESCRIPTOR, "VendorService", "RevokeGrant", vendors.RevokeGrantRequest, vendor_pb2.Grant
)


class Office:
    """What the system administrator and the security administrator do, through the edge."""

    def __init__(self, administrator: Client, security_administrator: Client) -> None:
        self._administrator = administrator
        self._security_administrator = security_administrator

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, platform: RunningPlatform) -> AsyncIterator[Self]:
        """The desk of this platform, for a block."""
        async with (
            client_of(platform, "administrator") as administrator,
            client_of(platform, "securityAdministrator") as security_administrator,
        ):
            yield cls(administrator, security_administrator)

    async def vendor(self, name: str) -> str:
        """The id of a new vendor whom no rate holds back."""
        vendor = vendor_pb2.Vendor(name=name, requests_per_second=_REQUESTS_PER_SECOND)
        return (await self._administrator.call(_CREATE, vendors.CreateVendorRequest(vendor=vendor))).vendor_id

    async def credential(
        self,
        vendor_id: str,
        method: vendor_pb2.CredentialMethod.ValueType = vendor_pb2.CREDENTIAL_METHOD_SECRET,
    ) -> vendors.RotateCredentialResponse:
        """A new credential of the vendor's."""
        request = vendors.RotateCredentialRequest(vendor_id=vendor_id, method=method)
        return await self._security_administrator.call(_ROTATE, request)

    async def token(self, issued: vendors.RotateCredentialResponse) -> Metadata:
        """What a holder of that credential sends to the edge."""
        request = IssueTokenRequest(client_id=issued.credential.client_id, client_secret=issued.client_secret)
        answer: IssueTokenResponse = await self._administrator.call(ISSUE_TOKEN, request)
        return [("authorization", f"Bearer {answer.access_token}")]

    async def revoke(self, vendor_id: str, client_id: str) -> None:
        """Ends the credential."""
        request = vendors.RevokeCredentialRequest(vendor_id=vendor_id, client_id=client_id)
        await self._security_administrator.call(_REVOKE, request)

    async def grant(self, vendor_id: str, lot_id: str) -> None:
        """Lets the vendor speak for the lot."""
        request = vendors.GrantLotRequest(vendor_id=vendor_id, lot_id=lot_id)
        await self._security_administrator.call(_GRANT, request)

    async def revoke_grant(self, vendor_id: str, lot_id: str) -> None:
        """Ends that."""
        request = vendors.RevokeGrantRequest(vendor_id=vendor_id, lot_id=lot_id)
        await self._security_administrator.call(_REVOKE_GRANT, request)
