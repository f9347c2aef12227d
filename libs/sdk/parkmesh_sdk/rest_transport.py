"""Calls the platform by REST: JSON over TLS."""

import gzip
import ssl
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode
from yarl import URL

from parkmesh_sdk import json_form
from parkmesh_sdk.connection import Connection
from parkmesh_sdk.errors import CertificateError, PlatformError
from parkmesh_sdk.method import Method
from parkmesh_sdk.signing import RequestSigner

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_FASTEST = 1
# For answers without a google.rpc.Status, as a proxy on the way may give them.
_CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.ALREADY_EXISTS,
    413: StatusCode.OUT_OF_RANGE,
    429: StatusCode.RESOURCE_EXHAUSTED,
    500: StatusCode.INTERNAL,
    501: StatusCode.UNIMPLEMENTED,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}


class RestTransport:
    """A pool of HTTP/1.1 connections to the platform. Must be made where an event loop runs.

    With `compress` bodies are sent in gzip. With a signing key in the connection every attempt is signed. OSError
    without the CA file, ssl.SSLError when it holds no certificate.
    """

    def __init__(self, connection: Connection, *, compress: bool = False) -> None:
        trust = ssl.create_default_context(cafile=connection.ca)
        self._base_url = connection.base_url
        self._compress = compress
        key = connection.signing_key
        self._signer = RequestSigner(connection.client_id, key) if key else None
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=0))

    async def call(self, method: Method[Q, A], request: Q, token: str, deadline_s: float) -> A:
        """See `Transport`."""
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = None
        target = method.route.path(request)
        if query := urlencode(list(_query(method, request)), quote_via=quote):
            target = f"{target}?{query}"
        if method.route.body:
            headers["Content-Type"] = "application/json"
            body = json_form.encode(_content(method, request))
            if self._compress:
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, _FASTEST)
        if self._signer:
            headers |= self._signer.headers(method.route.verb, target, body or b"")
        try:
            async with self._session.request(
                method.route.verb,
                URL(self._base_url + target, encoded=True),
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=deadline_s),
            ) as response:
                text = await response.read()
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise CertificateError from error
        except TimeoutError as error:
            raise PlatformError(StatusCode.DEADLINE_EXCEEDED, "the platform did not answer in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise PlatformError(StatusCode.UNAVAILABLE, "the platform cannot be reached") from error
        if response.status != 200:
            _refuse(response.status, text)
        try:
            return json_form.decode(text, method.answer)
        except ValueError as error:
            raise PlatformError(StatusCode.INTERNAL, "the platform's answer cannot be read") from error

    async def close(self) -> None:
        """See `Transport`."""
        await self._session.close()


def _content(method: Method[Q, A], request: Q) -> Message:
    if method.route.body != "*":
        content: Message = getattr(request, method.route.body)
        return content
    if not method.route.variables:
        return request
    content = type(request)()
    content.CopyFrom(request)
    for variable in method.route.variables:
        content.ClearField(variable)
    return content


def _query(method: Method[Q, A], request: Q) -> Iterator[tuple[str, str]]:
    if method.route.body:
        return
    fields = type(request).DESCRIPTOR.fields_by_name
    in_path = {fields[name].json_name for name in method.route.variables}
    content: dict[str, Any] = json_format.MessageToDict(request)
    for name, value in content.items():
        if name not in in_path:
            yield name, str(value)


def _refuse(http_status: int, text: bytes) -> NoReturn:
    status = status_pb2.Status()
    try:
        json_format.Parse(text, status, ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError):
        status.Clear()
    if status.code:
        raise PlatformError.of(status)
    raise PlatformError(_CODES.get(http_status, StatusCode.UNKNOWN), f"the platform answered with HTTP {http_status}")
