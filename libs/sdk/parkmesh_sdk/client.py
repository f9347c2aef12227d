"""The vendor's door to the platform."""

import asyncio
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, TypeVar

from google.protobuf.message import Message
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.record_pb2 import AccessRecord, Direction, StoredRecord
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.token_service_pb2 import IssueTokenRequest, IssueTokenResponse

from parkmesh_sdk import method as methods
from parkmesh_sdk.connection import Connection
from parkmesh_sdk.errors import PlatformError
from parkmesh_sdk.grpc_transport import GrpcTransport
from parkmesh_sdk.method import Method
from parkmesh_sdk.rest_transport import RestTransport
from parkmesh_sdk.retry import RetryPolicy, Verdict, verdict
from parkmesh_sdk.token import TokenSource
from parkmesh_sdk.transport import Transport
from parkmesh_sdk.uploading import BatchResult, Uploader, batched

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_PAGE = 1000


class Protocol(StrEnum):
    """How the platform is called; both do the same."""

    GRPC = "grpc"
    """Faster; needed for streams."""
    REST = "rest"
    """JSON over HTTP/1.1."""


class Client:
    """Calls the platform, many calls at once if you like. Use it as an async context manager.

    It gets and renews the access token by itself, or signs every request when the connection has a signing key, gives
    every call a deadline and sends a call again where that can help (see `parkmesh_sdk.retry`); what it raises in the
    end is a PlatformError. ValueError when it would have to sign gRPC calls.

    compress: send REST bodies in gzip.
    sleep, chance, now: the clock and the dice, for tests.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        protocol: Protocol = Protocol.GRPC,
        retry: RetryPolicy | None = None,
        compress: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if connection.signing_key and protocol is not Protocol.REST:
            raise ValueError("signed requests need REST")
        self._connection = connection
        self._protocol = protocol
        self._retry = retry or RetryPolicy()
        self._compress = compress
        self._sleep = sleep
        self._chance = chance
        self._now = now
        self._transport: Transport | None = None
        self._tokens = TokenSource(self._issue, now)

    async def __aenter__(self) -> Self:
        """Ready to call; nothing is sent yet. OSError (ssl.SSLError) when the CA file cannot be read or holds none."""
        if self._protocol is Protocol.GRPC:
            self._transport = GrpcTransport(self._connection)
        else:
            self._transport = RestTransport(self._connection, compress=self._compress)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the connections."""
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    async def upload(self, records: Iterable[AccessRecord]) -> access.UploadRecordsResponse:
        """Uploads 1 to 1,000 records in one call, again under the same ids when its answer is lost.

        Look at `all_stored`, and where it is False at `items`: each record is decided by itself. DEFERRED ones are
        yours to send again; `upload_all` does it for you.
        """
        return await self.call(methods.UPLOAD_RECORDS, access.UploadRecordsRequest(records=records))

    def upload_all(
        self, records: Iterable[AccessRecord], *, batch_size: int = 500, concurrency: int = 4
    ) -> AsyncIterator[BatchResult]:
        """Uploads any number of records, in batches of 1 to 1,000, several at once; see `upload_batches`."""
        return self.upload_batches(batched(records, batch_size), concurrency=concurrency)

    async def upload_batches(
        self, batches: AsyncIterable[Sequence[AccessRecord]], *, concurrency: int = 4
    ) -> AsyncIterator[BatchResult]:
        """Uploads batches of 1 to 1,000 records, several at once, each started in the order given.

        Gives each batch's result when it is decided, in whatever order that is. DEFERRED records, and batches whose
        outcome is unknown, are sent again until they are decided or the retry policy's attempts are used up. A refusal
        that no retry can change (a wrong credential, a malformed batch) ends it all with PlatformError.
        """
        uploader = Uploader(self.upload, self._retry, self._sleep, self._chance, self._now)
        async for result in uploader.upload(batches, concurrency):
            yield result

    async def stream(
        self, batches: AsyncIterable[Sequence[AccessRecord]], *, deadline_s: float = 3600.0
    ) -> AsyncIterator[access.UploadRecordsResponse]:
        """Uploads batches of 1 to 1,000 records as they come, over one gRPC stream; one answer for each, in order.

        When the stream breaks it raises PlatformError: batches sent and not answered may be stored or not, so send them
        again under the same ids. A stream outlives its token, but not `deadline_s`. ValueError by REST.
        """
        if self._protocol is not Protocol.GRPC:
            raise ValueError("streams need gRPC")
        assert isinstance(self._transport, GrpcTransport), "use the client as an async context manager"
        transport = self._transport

        async def numbered() -> AsyncIterator[access.StreamRecordsRequest]:
            sequence = 0
            async for records in batches:
                yield access.StreamRecordsRequest(sequence=sequence, records=records)
                sequence += 1

        token = await self._tokens.token()
        async for response in transport.stream(numbered(), token, deadline_s):
            yield response.result

    async def get_record(self, lot_id: str, record_id: str) -> StoredRecord:
        """The record as the platform holds it. PlatformError with RECORD_NOT_FOUND or LOT_NOT_FOUND without it."""
        return await self.call(methods.GET_RECORD, access.GetRecordRequest(lot_id=lot_id, record_id=record_id))

    async def list_records(
        self,
        lot_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        direction: Direction.ValueType = Direction.DIRECTION_UNSPECIFIED,
    ) -> AsyncIterator[StoredRecord]:
        """The lot's records with event times from `start` to before `end`, by event time."""
        request = access.ListRecordsRequest(lot_id=lot_id, direction=direction, page_size=_PAGE)
        if start is not None:
            request.start_time.FromDatetime(start)
        if end is not None:
            request.end_time.FromDatetime(end)
        async for page in self._pages(methods.LIST_RECORDS, request):
            for record in page.records:
                yield record

    async def list_lots(self) -> AsyncIterator[Lot]:
        """The lots that you may speak for; for an administrator all lots."""
        async for page in self._pages(methods.LIST_LOTS, registry.ListLotsRequest(page_size=_PAGE)):
            for lot in page.lots:
                yield lot

    async def list_gates(self, lot_id: str) -> AsyncIterator[Gate]:
        """The gates of a lot with their lanes. PlatformError with LOT_NOT_FOUND when you may not see it."""
        request = registry.ListGatesRequest(lot_id=lot_id, page_size=_PAGE)
        async for page in self._pages(methods.LIST_GATES, request):
            for gate in page.gates:
                yield gate

    async def call(self, method: Method[Q, A], request: Q) -> A:
        """Calls any method of the platform, as often as the retry policy allows; the method must bear being repeated.

        PlatformError: the last refusal.
        """
        failures = 0
        renewed = False
        while True:
            token = ""
            try:
                token = "" if self._connection.signing_key else await self._tokens.token()
                return await self._once(method, request, token)
            except PlatformError as error:
                failures += 1
                meaning = verdict(error)
                if meaning is Verdict.NEW_TOKEN and not renewed and token:
                    renewed = True
                    self._tokens.discard(token)
                    continue
                if meaning is not Verdict.LATER or failures >= self._retry.attempts:
                    raise
                wait_s = self._retry.delay_s(failures, error.retry_after_s, self._chance())
            await self._sleep(wait_s)

    async def _pages(self, method: Method[Any, Any], request: Any) -> AsyncIterator[Any]:
        while True:
            page = await self.call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _issue(self) -> IssueTokenResponse:
        request = IssueTokenRequest(client_id=self._connection.client_id, client_secret=self._connection.client_secret)
        return await self._once(methods.ISSUE_TOKEN, request, "")

    async def _once(self, method: Method[Q, A], request: Q, token: str) -> A:
        assert self._transport is not None, "use the client as an async context manager"
        return await self._transport.call(method, request, token, self._connection.deadline_s)
