"""Calls the platform by gRPC over TLS."""

import ssl
from collections.abc import AsyncIterator
from typing import NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2  # type: ignore[import-untyped]
from parkmesh.access.v1 import access_record_service_pb2 as access

from parkmesh_sdk.connection import Connection
from parkmesh_sdk.errors import CertificateError, PlatformError
from parkmesh_sdk.method import Method

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_STREAM_RECORDS = "/parkmesh.access.v1.AccessRecordService/StreamRecords"
_DETAILS = "grpc-status-details-bin"
_OPTIONS = [
    # The SDK's own policy decides about retries; a lost connection is looked for again at once.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class GrpcTransport:
    """One HTTP/2 connection to the platform. Must be made where an event loop runs.

    OSError without the CA file, ssl.SSLError when it holds no certificate.
    """

    def __init__(self, connection: Connection) -> None:
        if connection.ca:
            # gRPC takes any file and then says no more than that the platform cannot be reached.
            ssl.create_default_context(cafile=connection.ca)
        trusted = connection.ca.read_bytes() if connection.ca else None
        self._channel = grpc.aio.secure_channel(connection.address, grpc.ssl_channel_credentials(trusted), _OPTIONS)

    async def call(self, method: Method[Q, A], request: Q, token: str, deadline_s: float) -> A:
        """See `Transport`."""
        calling = self._channel.unary_unary(
            method.grpc_path,
            request_serializer=_serialized,
            response_deserializer=method.answer.FromString,
        )
        try:
            return await calling(request, timeout=deadline_s, metadata=_metadata(token))
        except grpc.aio.AioRpcError as error:
            _refuse(error)

    async def stream(
        self, requests: AsyncIterator[access.StreamRecordsRequest], token: str, deadline_s: float
    ) -> AsyncIterator[access.StreamRecordsResponse]:
        """The answers to a stream of uploads, in order. PlatformError when the stream breaks."""
        calling = self._channel.stream_stream(
            _STREAM_RECORDS,
            request_serializer=_serialized,
            response_deserializer=access.StreamRecordsResponse.FromString,
        )
        call = calling(requests, timeout=deadline_s, metadata=_metadata(token))
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            _refuse(error)
        finally:
            call.cancel()

    async def close(self) -> None:
        """See `Transport`."""
        await self._channel.close()


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _metadata(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")] if token else []


def _refuse(error: grpc.aio.AioRpcError) -> NoReturn:
    # gRPC tells a failed handshake in words only.
    if "CERTIFICATE_VERIFY_FAILED" in (error.details() or "") + (error.debug_error_string() or ""):
        raise CertificateError from error
    details = dict(error.trailing_metadata() or ()).get(_DETAILS)
    if isinstance(details, bytes):
        try:
            raise PlatformError.of(status_pb2.Status.FromString(details)) from error
        except DecodeError:
            pass
    raise PlatformError(error.code(), error.details() or "") from error
