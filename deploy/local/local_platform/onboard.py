"""The demo vendor: made once, through the edge, as the administrators would make any vendor."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import grpc
from parkmesh.registry.v1.token_service_pb2 import IssueTokenRequest
from parkmesh.registry.v1.token_service_pb2_grpc import TokenServiceStub
from parkmesh.registry.v1.vendor_pb2 import Vendor
from parkmesh.registry.v1.vendor_service_pb2 import CreateVendorRequest, ListVendorsRequest, RotateCredentialRequest
from parkmesh.registry.v1.vendor_service_pb2_grpc import VendorServiceStub

NAME = "demo"
REQUESTS_PER_SECOND = 20_000
"""High, so that a replay as fast as possible is not held back by its own vendor's limit."""
_CALL_SECONDS = 5.0
_PATIENCE_SECONDS = 20.0
_PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.DEADLINE_EXCEEDED}
"""What a vendor or the edge may answer in the moment in which the news of a new credential is still under way."""


@dataclass(frozen=True)
class DemoVendor:
    """The demo vendor and its credential."""

    vendor_id: str
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The vendor that demo.json holds; None when there is no such file or it holds none."""
        try:
            vendor = json.loads(path.read_text())["vendor"]
            return cls(vendor["vendorId"], vendor["clientId"], vendor["clientSecret"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Onboarding:
    """Calls the edge as the two administrators whom it takes; each is a client id and its secret."""

    def __init__(
        self, channel: grpc.aio.Channel, *, administrator: tuple[str, str], security_administrator: tuple[str, str]
    ) -> None:
        self._tokens: Any = TokenServiceStub(channel)
        self._vendors: Any = VendorServiceStub(channel)
        self._administrator = administrator
        self._security_administrator = security_administrator

    async def ensure(self, known: DemoVendor | None) -> DemoVendor:
        """The demo vendor with a credential that works: the known one if it does, otherwise a new one.

        RpcError when the edge does not take an administrator's calls.
        """
        administrator = await self._patiently(*self._administrator)
        if known is not None and await self._works(known):
            return known
        vendor_id = await self._vendor_id(_bearer(administrator))
        security_administrator = await self._patiently(*self._security_administrator)
        answer = await self._vendors.RotateCredential(
            RotateCredentialRequest(vendor_id=vendor_id),
            metadata=_bearer(security_administrator),
            timeout=_CALL_SECONDS,
        )
        return DemoVendor(vendor_id, answer.credential.client_id, answer.client_secret)

    async def _vendor_id(self, metadata: tuple[tuple[str, str], ...]) -> str:
        page = ""
        while True:
            listed = await self._vendors.ListVendors(
                ListVendorsRequest(page_token=page), metadata=metadata, timeout=_CALL_SECONDS
            )
            for vendor in listed.vendors:
                if vendor.name == NAME:
                    return str(vendor.vendor_id)
            page = listed.next_page_token
            if not page:
                break
        made = await self._vendors.CreateVendor(
            CreateVendorRequest(vendor=Vendor(name=NAME, requests_per_second=REQUESTS_PER_SECOND)),
            metadata=metadata,
            timeout=_CALL_SECONDS,
        )
        return str(made.vendor_id)

    async def _works(self, vendor: DemoVendor) -> bool:
        try:
            await self._token(vendor.client_id, vendor.client_secret)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                return False
            raise
        return True

    async def _patiently(self, client_id: str, client_secret: str) -> str:
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._token(client_id, client_secret)
            except grpc.aio.AioRpcError as error:
                if error.code() not in _PASSING or time.monotonic() > end:
                    raise
            await asyncio.sleep(0.1)

    async def _token(self, client_id: str, client_secret: str) -> str:
        answer = await self._tokens.IssueToken(
            IssueTokenRequest(client_id=client_id, client_secret=client_secret), timeout=_CALL_SECONDS
        )
        return str(answer.access_token)


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
