"""A platform for tests: it says what it is told to, over TLS, by gRPC and by REST; what it saw can be looked at."""

import asyncio
import datetime
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import token_service_pb2 as token_service

from parkmesh_sdk import method as methods
from parkmesh_sdk.client import Client, Protocol
from parkmesh_sdk.connection import Connection
from parkmesh_sdk.method import Method

SECRET: Final = "the right one"  # noqa: S105
_HTTP: Final = {3: 400, 5: 404, 7: 403, 8: 429, 12: 501, 13: 500, 14: 503, 16: 401}
_HANG_S: Final = 60.0
_STORED: Final = (access.OUTCOME_ACCEPTED, access.OUTCOME_DUPLICATE)

Answer = Callable[[access.UploadRecordsRequest], access.UploadRecordsResponse]


class RefusedError(Exception):
    """What the stand-in refuses a call with."""

    def __init__(self, code: grpc.StatusCode, reason: str = "", *, retry_after_ms: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        details: list[Message] = [
            error_details_pb2.ErrorInfo(reason=reason, domain="parkmesh"),
            error_details_pb2.LocalizedMessage(locale="zh-CN", message="已说明原因。"),
            error_details_pb2.RequestInfo(request_id="request-1"),
        ]
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            chinese = error_details_pb2.LocalizedMessage(locale="zh-CN", message="1 至 1,000 条")
            violation = error_details_pb2.BadRequest.FieldViolation(
                field="records", reason="size", description="1 to 1,000", localized_message=chinese
            )
            details.append(error_details_pb2.BadRequest(field_violations=[violation]))
        if retry_after_ms is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(retry_after_ms)
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        self.status = status_pb2.Status(code=code.value[0], message="Said why.", details=map(_packed, details))


def accept(request: access.UploadRecordsRequest) -> access.UploadRecordsResponse:
    """Takes the whole batch."""
    return access.UploadRecordsResponse(all_stored=True, accepted=len(request.records))


def outcomes(*given: access.Outcome.ValueType, retry_after_ms: int = 0) -> Answer:
    """Answers each record of the batch with its outcome."""

    def answer(request: access.UploadRecordsRequest) -> access.UploadRecordsResponse:
        judged = list(enumerate(zip(request.records, given, strict=True)))
        return access.UploadRecordsResponse(
            all_stored=all(outcome in _STORED for outcome in given),
            accepted=given.count(access.OUTCOME_ACCEPTED),
            duplicate=given.count(access.OUTCOME_DUPLICATE),
            conflicting=given.count(access.OUTCOME_CONFLICT),
            rejected=given.count(access.OUTCOME_REJECTED),
            deferred=given.count(access.OUTCOME_DEFERRED),
            items=[
                access.ItemResult(index=index, record_id=record.record_id, outcome=outcome)
                for index, (record, outcome) in judged
                if outcome != access.OUTCOME_ACCEPTED
            ],
            retry_after_ms=retry_after_ms,
        )

    return answer


def record(number: int) -> record_pb2.AccessRecord:
    """A record of the year 2100."""
    made = record_pb2.AccessRecord(
        record_id=f"r-{number}",
        lot_id="lot_1",
        direction=record_pb2.DIRECTION_ENTRY,
        plate_number="闽B12345",
        plate_colour=record_pb2.PLATE_COLOUR_BLUE,
        vehicle_class=record_pb2.VEHICLE_CLASS_SMALL,
        gate_id="1",
        lane_id="1",
    )
    made.event_time.FromJsonString("2100-01-01T08:00:00+08:00")
    return made


@dataclass
class StandIn:
    """The platform."""

    url: str = ""
    ca: Path | None = None
    script: list[RefusedError | Answer] = field(default_factory=list)
    """How the next uploads are answered; when it is used up, they are accepted."""
    answers: dict[Method[Any, Any], Callable[[Any], Message]] = field(default_factory=dict)
    """How methods are answered that it does not know by itself; to be there before it is served."""
    public: set[Method[Any, Any]] = field(default_factory=set)
    """Which of them need no token."""
    expires_in_s: int = 3600
    lots: int = 0
    hangs: bool = False
    """Uploads are not answered."""
    batches: list[list[str]] = field(default_factory=list)
    """The record ids of every upload that came."""
    records: list[record_pb2.AccessRecord] = field(default_factory=list)
    requests: list[Message] = field(default_factory=list)
    """All requests but those for tokens."""
    paths: list[str] = field(default_factory=list)
    """Of REST: verb and address, as they came."""
    packed: int = 0
    """Of REST: how many bodies came in gzip."""
    client_ids: list[str] = field(default_factory=list)
    """Whom it gave a token."""
    tokens: int = 0
    """How many tokens it gave; only the last one is good."""
    _good: str = ""

    def forget_tokens(self) -> None:
        """No token given so far is good any more."""
        self._good = ""

    async def call(self, method: Method[Any, Any], request: Any, authorization: str) -> Message:
        """Answers a call by gRPC or REST."""
        if method is methods.ISSUE_TOKEN:
            return self._issue(request)
        if method in self.public:
            return self.answers[method](request)
        if not self._good or authorization != f"Bearer {self._good}":
            raise RefusedError(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
        self.requests.append(request)
        if method in self.answers:
            return self.answers[method](request)
        if method is methods.UPLOAD_RECORDS:
            return await self.upload(request)
        if method is methods.LIST_LOTS:
            return self._page(request)
        if method is methods.GET_RECORD and request.record_id == "none":
            raise RefusedError(grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")
        if method is methods.GET_RECORD:
            stated = record_pb2.AccessRecord(record_id=request.record_id, lot_id=request.lot_id)
            return record_pb2.StoredRecord(record=stated, delay_ms=-3)
        return _empty(method)

    async def upload(self, request: access.UploadRecordsRequest) -> access.UploadRecordsResponse:
        """Answers an upload."""
        if self.hangs:
            await asyncio.sleep(_HANG_S)
        self.batches.append([record.record_id for record in request.records])
        self.records.extend(request.records)
        said = self.script.pop(0) if self.script else accept
        if isinstance(said, RefusedError):
            raise said
        return said(request)

    def _issue(self, request: token_service.IssueTokenRequest) -> token_service.IssueTokenResponse:
        if request.client_secret != SECRET:
            raise RefusedError(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIAL")
        self.client_ids.append(request.client_id)
        self.tokens += 1
        self._good = f"token-{self.tokens}"
        return token_service.IssueTokenResponse(access_token=self._good, expires_in=self.expires_in_s)

    def _page(self, request: registry.ListLotsRequest) -> registry.ListLotsResponse:
        first = int(request.page_token or 0)
        last = min(first + 2, self.lots)
        return registry.ListLotsResponse(
            lots=[lot_pb2.Lot(lot_id=f"lot_{number}") for number in range(first, last)],
            next_page_token=str(last) if last < self.lots else "",
        )


@dataclass
class Time:
    """Waits by letting the time pass at once."""

    waits: list[float] = field(default_factory=list)
    now_s: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Passes the time."""
        self.waits.append(seconds)
        self.now_s += seconds


@dataclass
class Bench:
    """The stand-in and what a test needs to call it."""

    platform: StandIn
    protocol: Protocol
    time: Time = field(default_factory=Time)

    def client(
        self, *, client_secret: str = SECRET, ca: Path | None = None, deadline_s: float = 10.0, **options: Any
    ) -> Client:
        """A client whose waits take no time and whose dice always show one half."""
        connection = Connection(self.platform.url, "client-1", client_secret, ca or self.platform.ca, deadline_s)
        options = {"sleep": self.time.sleep, "chance": lambda: 0.5, "now": lambda: self.time.now_s, **options}
        return Client(connection, protocol=self.protocol, **options)


def made_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that is its own authority, and its key, as PEM files in that folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(*encoding, serialization.NoEncryption()))
    return paths


@asynccontextmanager
async def serving(platform: StandIn, protocol: Protocol, certificate: Path, key: Path) -> AsyncIterator[None]:
    """Serves it on localhost at a free port under a PEM certificate that is its own authority."""
    serve = _serve_grpc if protocol is Protocol.GRPC else _serve_rest
    port, stop = await serve(platform, certificate, key)
    platform.url = f"https://localhost:{port}"
    platform.ca = certificate
    try:
        yield
    finally:
        await stop()


_SERVED: Final[tuple[Method[Any, Any], ...]] = (
    methods.ISSUE_TOKEN,
    methods.UPLOAD_RECORDS,
    methods.GET_RECORD,
    methods.LIST_RECORDS,
    methods.LIST_LOTS,
    methods.LIST_GATES,
)


async def _serve_grpc(platform: StandIn, certificate: Path, key: Path) -> tuple[int, Callable[[], Awaitable[object]]]:
    def unary(method: Method[Any, Any]) -> Any:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            metadata = dict(context.invocation_metadata() or ())
            try:
                return await platform.call(method, request, str(metadata.get("authorization", "")))
            except RefusedError as refused:
                context.set_trailing_metadata((("grpc-status-details-bin", refused.status.SerializeToString()),))
                await context.abort(refused.code, refused.status.message)

        return grpc.unary_unary_rpc_method_handler(call, method.request.FromString, _serialized)

    async def stream(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for message in requests:
            result = await platform.upload(access.UploadRecordsRequest(records=message.records))
            yield access.StreamRecordsResponse(sequence=message.sequence, result=result)

    handlers = {method.grpc_path: unary(method) for method in (*_SERVED, *platform.answers)}
    handlers["/parkmesh.access.v1.AccessRecordService/StreamRecords"] = grpc.stream_stream_rpc_method_handler(
        stream, access.StreamRecordsRequest.FromString, _serialized
    )
    server = grpc.aio.server()
    for path, handler in handlers.items():
        service, name = path.strip("/").split("/")
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
    pair = await asyncio.to_thread(lambda: (key.read_bytes(), certificate.read_bytes()))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    await server.start()
    return port, lambda: server.stop(None)


async def _serve_rest(platform: StandIn, certificate: Path, key: Path) -> tuple[int, Callable[[], Awaitable[object]]]:
    def handler(method: Method[Any, Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def call(request: web.Request) -> web.Response:
            platform.paths.append(f"{request.method} {request.raw_path}")
            platform.packed += request.headers.get("Content-Encoding") == "gzip"
            body = await request.read()
            fields = json.loads(body) if body else {}
            message = json_format.ParseDict({**fields, **request.match_info, **request.query}, method.request())
            try:
                answer = await platform.call(method, message, request.headers.get("Authorization", ""))
            except RefusedError as refused:
                return _json(refused.status, _HTTP[refused.status.code])
            return _json(answer, 200)

        return call

    app = web.Application()
    for method in dict.fromkeys((*_SERVED, *platform.answers)):
        app.router.add_route(method.route.verb, method.route.template, handler(method))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(certificate, key)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust).start()
    return runner.addresses[0][1], runner.cleanup


def _json(message: Message, status: int) -> web.Response:
    text = json_format.MessageToJson(message, always_print_fields_with_no_presence=True)
    return web.Response(text=text, status=status, content_type="application/json")


def _empty(method: Method[Any, Any]) -> Message:
    message: Message = method.answer()
    return message


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()
