"""What one request costs risk-control: its processor time for the edge's questions, by how the request is proved."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import grpc
from mesh.caller import HEADER
from parkmesh.edge.v1 import ext_authz_pb2
from parkmesh.registry.v1.vendor_pb2 import CREDENTIAL_METHOD_SIGNATURE
from parkmesh_sdk.signing import RequestSigner

from .crowd import at_once
from .ledger import Void
from .repeat import Repeat
from .vendors import Office

_CHECK: Final = "/envoy.service.auth.v3.Authorization/Check"
_PATH: Final = "/v1/records:upload"
_AT_ONCE: Final = 16
_WARM: Final = 50
_DEADLINE_S: Final = 10.0
_POLL_S: Final = 0.02
_BODIES: Final = {"0": 0, "10k": 10 * 1024, "300k": 300 * 1024}
_SHARE: Final = {"0": 8, "10k": 10, "300k": 40}
"""By how much fewer signed requests there are than those with a token: large ones take long to send."""

Ask = Callable[[ext_authz_pb2.CheckRequest], Awaitable[ext_authz_pb2.CheckResponse]]


async def authorization(repeat: Repeat) -> None:
    """Risk-control is asked as Envoy asks it, at its own port, 16 requests at a time; the client's time is left out."""
    stage, checks = repeat.stage, repeat.extent.checks
    async with Office.opened(stage.platform) as office:
        vendor_id = await office.vendor(f"bench-signing-{repeat.number}")
        issued = await office.credential(vendor_id, CREDENTIAL_METHOD_SIGNATURE)
    signer = RequestSigner(issued.credential.client_id, issued.client_secret)
    ((_, bearer),) = await stage.token()
    options = [("grpc.max_send_message_length", 1 << 24)]
    async with grpc.aio.insecure_channel(stage.endpoint("risk-control"), options) as channel:
        call: Any = channel.unary_unary(
            _CHECK,
            request_serializer=ext_authz_pb2.CheckRequest.SerializeToString,
            response_deserializer=ext_authz_pb2.CheckResponse.FromString,
        )

        async def ask(request: ext_authz_pb2.CheckRequest) -> ext_authz_pb2.CheckResponse:
            answer: ext_authz_pb2.CheckResponse = await call(request, timeout=_DEADLINE_S)
            if answer.status.code:
                raise Void(f"risk-control refused a request of the bench with code {answer.status.code}")
            return answer

        async def with_token(_: int) -> None:
            _require_caller(await ask(_question({"authorization": bearer})))

        await _until_known(call, signer)
        await _measure(repeat, "authorization.token", checks, with_token)
        for name, size in _BODIES.items():
            body = bytes(size)

            async def signed(_: int, body: bytes = body) -> None:
                headers = signer.headers("POST", _PATH, body)
                _require_caller(await ask(_question(headers, where="later")))
                await ask(_question(headers, where="here", body=body))

            await _measure(repeat, f"authorization.signed.{name}", max(_WARM, checks // _SHARE[name]), signed)


async def _measure(repeat: Repeat, name: str, count: int, request: Callable[[int], Awaitable[None]]) -> None:
    await at_once(_AT_ONCE, range(_WARM), request)
    before, begun = repeat.stage.cpu_s()["risk-control"], time.monotonic()
    await at_once(_AT_ONCE, range(count), request)
    took_s = time.monotonic() - begun
    used_s = repeat.stage.cpu_s()["risk-control"] - before
    repeat.figures.add(f"{name}.processor", "µs/request", used_s * 1e6 / count)
    repeat.figures.add(f"{name}.rate", "requests/s", count / took_s)


async def _until_known(call: Any, signer: RequestSigner) -> None:
    """Returns when the news of the credential has reached risk-control."""
    end = time.monotonic() + _DEADLINE_S
    while (await call(_question(signer.headers("POST", _PATH, b""), where="later"))).status.code:
        if time.monotonic() > end:
            raise Void("risk-control does not learn of a new credential")
        await asyncio.sleep(_POLL_S)


def _question(headers: dict[str, str], *, where: str = "", body: bytes = b"") -> ext_authz_pb2.CheckRequest:
    """What Envoy asks of a REST upload."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.protocol = "POST", _PATH, "localhost:8443", "HTTP/1.1"
    http.headers.update({"content-type": "application/json", "x-request-id": "bench", **headers})
    http.size, http.raw_body = len(body) if where == "here" else -1, body
    if where:
        request.attributes.context_extensions["body"] = where
    return request


def _require_caller(answer: ext_authz_pb2.CheckResponse) -> None:
    headers: Sequence[Any] = answer.ok_response.headers
    if not any(option.header.key == HEADER and option.header.value for option in headers):
        raise Void("risk-control admits a request without saying who calls")
