"""The edge as any program reaches it: bytes in, bytes out, nothing mended and nothing tried again."""

import io
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import aiohttp
import grpc
import yarl
from google.protobuf import json_format
from grpc_status import rpc_status  # type: ignore[import-untyped]
from local_platform.testing import RunningPlatform

UPLOAD = "/v1/records:upload"
UPLOAD_RPC = "/parkmesh.access.v1.AccessRecordService/UploadRecords"


class Answer(NamedTuple):
    """What came back, by REST or by gRPC."""

    status: int
    """HTTP's, or gRPC's."""
    body: bytes
    """REST: the body; gRPC: the message."""
    headers: dict[str, str]
    """Headers and trailers."""
    error: dict[str, Any]
    """The google.rpc.Status as JSON; empty for a success."""

    @property
    def reason(self) -> str:
        """The ErrorInfo's reason; empty without one."""
        return str(self.detail("ErrorInfo").get("reason", ""))

    @property
    def fields(self) -> list[str]:
        """The fields at fault."""
        return [violation["field"] for violation in self.detail("BadRequest").get("fieldViolations", [])]

    @property
    def content(self) -> dict[str, Any]:
        """REST: the body as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def detail(self, name: str) -> dict[str, Any]:
        """The status's detail of that type; empty without one."""
        details = self.error.get("details", [])
        return next((detail for detail in details if detail["@type"].endswith(f".{name}")), {})

    def without_id(self) -> tuple[object, ...]:
        """All of it that may be compared with another answer: the request's id and what tells the time are left out."""
        request_id = self.headers.get("x-request-id") or self.detail("RequestInfo").get("requestId", "-")
        varying = {"date", "x-envoy-upstream-service-time", "x-request-id"}
        headers = {name: value for name, value in self.headers.items() if name not in varying}
        return self.status, self.body.replace(request_id.encode(), b"-"), str(headers).replace(request_id, "-")


class Wire:
    """Calls one platform's edge."""

    def __init__(self, platform: RunningPlatform) -> None:
        self._platform = platform
        self._edge = platform.demo["edge"]

    async def token(self, who: str = "vendor") -> str:
        """A token of demo.json's `vendor` or one of its administrators."""
        account = self._platform.demo[who]
        body = {"clientId": account["clientId"], "clientSecret": account["clientSecret"]}
        answer = await self.rest("POST", "/v1/token", json.dumps(body).encode())
        assert answer.status == 200, answer
        return str(answer.content["accessToken"])

    async def rest(
        self,
        verb: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One REST call; the path is sent as it is."""
        sent = {"content-type": "application/json"} if body is not None else {}
        sent |= {"authorization": f"Bearer {token}"} if token else {}
        sent |= headers or {}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                verb,
                yarl.URL(self._edge["url"] + path, encoded=True),
                data=None if body is None else io.BytesIO(body),
                headers=sent,
                ssl=ssl.create_default_context(cafile=self._edge["ca"]),
                skip_auto_headers=["content-type"],
                timeout=aiohttp.ClientTimeout(60),
            ) as answer,
        ):
            raw = await answer.read()
            assert answer.content_type == "application/json", (answer.status, raw[:200])
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, raw, found, json.loads(raw) if answer.status != 200 else {})

    async def grpc(
        self, path: str, body: bytes, *, token: str = "", metadata: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """One gRPC call through the edge."""
        trusted = grpc.ssl_channel_credentials((self._platform.folder / "ca.pem").read_bytes())
        async with grpc.aio.secure_channel(self._edge["grpc"], trusted) as channel:
            authorization = [("authorization", f"Bearer {token}")] if token else []
            return await rpc(channel, path, body, [*metadata, *authorization])

    async def service(self, name: str, path: str, body: bytes, metadata: Sequence[tuple[str, str]] = ()) -> Answer:
        """One gRPC call straight to a service's own port, as somebody inside could make it."""
        async with grpc.aio.insecure_channel(self._platform.demo["endpoints"][name]) as channel:
            return await rpc(channel, path, body, metadata)


async def rpc(channel: grpc.aio.Channel, path: str, body: bytes, metadata: Sequence[tuple[str, str]]) -> Answer:
    """One call of bytes on a channel."""
    calling: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    call = calling(body, metadata=list(metadata), timeout=60)
    error: dict[str, Any] = {}
    try:
        message = await call
    except grpc.aio.AioRpcError as refusal:
        message = (refusal.details() or "").encode()
        status = rpc_status.from_call(refusal)
        error = json_format.MessageToDict(status) if status is not None else {"code": refusal.code().value[0]}
    pairs = [*(await call.initial_metadata() or ()), *(await call.trailing_metadata() or ())]
    found = {str(name): value if isinstance(value, str) else value.decode("latin-1") for name, value in pairs}
    return Answer((await call.code()).value[0], message, found, error)
