"""A whole edge, once per session: real Envoy, control plane and risk-control, and services that are our doubles."""

import asyncio
import contextlib
import io
import json
import pathlib
import secrets
import socket
import ssl
import time
import types
import warnings
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import grpc
import h2.connection
import h2.events
import jwt
import pytest
import yarl
from directory.testing import StatedRegistry, credential, vendor
from edge.envoy import EnvoySettings, envoy_command
from edge.settings import Settings as EdgeSettings
from eventlog.server import EmbeddedServer, ServerSettings
from google.api import httpbody_pb2  # type: ignore[import-untyped]
from mesh.caller import current_or_none, generate_key_pair
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import running
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import access_record_service_pb2_grpc as access_rpc
from parkmesh.access.v1 import export_service_pb2_grpc as export_rpc
from parkmesh.access.v1 import reconciliation_service_pb2, record_pb2
from parkmesh.access.v1 import reconciliation_service_pb2_grpc as reconciliation_rpc
from parkmesh.guidance.v1 import guidance_service_pb2
from parkmesh.guidance.v1 import guidance_service_pb2_grpc as guidance_rpc
from parkmesh.registry.v1 import lot_pb2, role_pb2, session_service_pb2, token_service_pb2, vendor_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import registry_service_pb2_grpc as registry_rpc
from parkmesh.registry.v1 import session_service_pb2_grpc as session_rpc
from parkmesh.registry.v1 import token_service_pb2_grpc as token_rpc
from parkmesh.registry.v1 import vendor_service_pb2_grpc as vendor_rpc
from parkmesh.registry.v1.directory_service_pb2_grpc import add_DirectoryServiceServicer_to_server
from risk_control import app as risk_control
from risk_control.settings import Settings as RiskSettings
from vocabulary import request_signature
from vocabulary.request_signature import SignedRequest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # envoy-data-plane is older than its pydantic
    from edge import control_plane

TOKEN_PRIVATE, TOKEN_PUBLIC = generate_key_pair()
MASTER = secrets.token_bytes(32)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def token(client_id: str, subject: str) -> str:
    """A token as the registry makes it."""
    now = int(time.time())
    claims = {"iss": "registry", "sub": client_id, "subject": subject, "kind": "vendor", "iat": now, "exp": now + 900}
    return jwt.encode(claims, TOKEN_PRIVATE, algorithm="EdDSA")


class Seen:
    """What the doubles were called with last."""

    metadata: dict[str, str]
    request: Any
    caller: Any

    def take(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        self.metadata = {str(key): str(value) for key, value in context.invocation_metadata() or ()}
        self.request = request
        self.caller = current_or_none()


class Records(access_rpc.AccessRecordServiceServicer):
    """Takes every record and keeps none. The record `slow` never comes; `large` is a large answer."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def UploadRecords(self, request: access.UploadRecordsRequest, context: Any) -> access.UploadRecordsResponse:
        self._seen.take(request, context)
        named = self._seen.metadata.get("x-parkmesh-unknown-fields", "")
        names = named.split(",") if named else []
        return access.UploadRecordsResponse(all_stored=True, accepted=len(request.records), unknown_fields=names)

    async def StreamRecords(
        self, requests: AsyncIterator[access.StreamRecordsRequest], context: Any
    ) -> AsyncIterator[access.StreamRecordsResponse]:
        async for request in requests:
            self._seen.take(request, context)
            yield access.StreamRecordsResponse(sequence=request.sequence)

    async def GetRecord(self, request: access.GetRecordRequest, context: Any) -> record_pb2.StoredRecord:
        self._seen.take(request, context)
        if request.record_id == "slow":
            await asyncio.sleep(60)
        return record_pb2.StoredRecord(vendor_id="vendor-1")

    async def ListRecords(self, request: access.ListRecordsRequest, context: Any) -> access.ListRecordsResponse:
        self._seen.take(request, context)
        record = record_pb2.StoredRecord(record=record_pb2.AccessRecord(release_reason="停" * 200))
        return access.ListRecordsResponse(records=[record] * 3000)


class Exports(export_rpc.ExportServiceServicer):
    """Has files of as many quarter megabytes as their ids say: `export-8` has 2 MB."""

    async def DownloadExport(self, request: Any, context: Any) -> AsyncIterator[httpbody_pb2.HttpBody]:
        await context.send_initial_metadata(
            (("content-disposition", f'attachment; filename="{request.export_id}.csv"'),)
        )
        for number in range(int(request.export_id.partition("-")[2])):
            yield httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8", data=bytes([number % 256]) * 262_144)


class Lots(registry_rpc.RegistryServiceServicer):
    """Knows every lot."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def CreateLot(self, request: registry.CreateLotRequest, context: Any) -> lot_pb2.Lot:
        self._seen.take(request, context)
        return request.lot

    async def GetLot(self, request: registry.GetLotRequest, context: Any) -> lot_pb2.Lot:
        self._seen.take(request, context)
        return lot_pb2.Lot(lot_id=request.lot_id, name="停车场")

    async def ListLots(self, request: registry.ListLotsRequest, context: Any) -> registry.ListLotsResponse:
        self._seen.take(request, context)
        return registry.ListLotsResponse()


class Tokens(token_rpc.TokenServiceServicer):
    """Gives anybody a useless token."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def IssueToken(self, request: Any, context: Any) -> token_service_pb2.IssueTokenResponse:
        self._seen.take(request, context)
        return token_service_pb2.IssueTokenResponse(access_token="x", token_type="Bearer")

    async def ExchangeOnboardingCode(
        self, request: Any, context: Any
    ) -> token_service_pb2.ExchangeOnboardingCodeResponse:
        self._seen.take(request, context)
        return token_service_pb2.ExchangeOnboardingCodeResponse()


class Sessions(session_rpc.SessionServiceServicer):
    """Lets anybody in."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def ActivateAccount(self, request: Any, context: Any) -> session_service_pb2.ActivateAccountResponse:
        self._seen.take(request, context)
        return session_service_pb2.ActivateAccountResponse()

    async def Login(self, request: Any, context: Any) -> session_service_pb2.LoginResponse:
        self._seen.take(request, context)
        return session_service_pb2.LoginResponse()


class Books(reconciliation_rpc.ReconciliationServiceServicer):
    """Has a key that proves nothing."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def GetReportKey(self, request: Any, context: Any) -> reconciliation_service_pb2.ReportKey:
        self._seen.take(request, context)
        return reconciliation_service_pb2.ReportKey()


class Guidance(guidance_rpc.GuidanceServiceServicer):
    """Finds nothing anywhere."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def SearchLots(self, request: Any, context: Any) -> guidance_service_pb2.SearchLotsResponse:
        self._seen.take(request, context)
        return guidance_service_pb2.SearchLotsResponse()


class Edge:
    """A running edge and how to call it."""

    def __init__(self, port: int, folder: pathlib.Path, seen: Seen) -> None:
        self.port = port
        self.url = f"https://localhost:{port}"
        self.folder = folder
        self.seen = seen
        self.token = token("client-1", "vendor-1")
        self.administrator = token("client-2", "platform")
        self.analyst = token("client-5", "analysts")
        self.limited = token("client-3", "vendor-3")
        self.ca = (folder / "certificates" / "ca.pem").read_bytes()
        self.tls = ssl.create_default_context(cadata=self.ca.decode())
        self.log = folder / "envoy.log"

    async def call(
        self, verb: str, path: str, body: bytes | None = None, *, token: str | None = "", **headers: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Calls over HTTP/1.1; status, JSON and headers. The vendor's token unless another or None is given."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token or self.token}"
        if body is not None:
            sent.setdefault("content-type", "application/json")
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                verb,
                yarl.URL(self.url + path, encoded=True),
                data=None if body is None else io.BytesIO(body),
                headers=sent,
                ssl=self.tls,
                skip_auto_headers=["content-type"],
                timeout=aiohttp.ClientTimeout(30),
            ) as answer,
        ):
            raw = await answer.read()
            assert answer.content_type == "application/json", (answer.status, raw[:200])
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, json.loads(raw) if raw else {}, found

    def signature(self, verb: str, target: str, body: bytes = b"", **changes: str) -> dict[str, str]:
        """The headers with which client-4 signs this request; `changes` are facts to sign instead of the right ones."""
        path, _, query = target.partition("?")
        stated = {
            "method": verb,
            "path": path,
            "query": query,
            "timestamp": str(time.time_ns() // 1_000_000),
            "nonce": secrets.token_urlsafe(16),
            "client_id": "client-4",
            "content_sha256": request_signature.content_digest(body),
        }
        signed = SignedRequest(**(stated | changes))
        return signed.headers(self.signing_key(signed.client_id))

    @staticmethod
    def signing_key(client_id: str) -> str:
        """A client's signing key, as the registry shows it."""
        return request_signature.signing_key(MASTER, client_id)

    def channel(self) -> grpc.aio.Channel:
        """A gRPC channel as vendors open one."""
        return grpc.aio.secure_channel(f"localhost:{self.port}", grpc.ssl_channel_credentials(self.ca))

    def metadata(self) -> list[tuple[str, str]]:
        """The vendor's token for a gRPC call."""
        return [("authorization", f"Bearer {self.token}")]

    async def http2(self, path: str, body: bytes) -> tuple[str, dict[str, str]]:
        """Sends bytes as the body of a gRPC call; HTTP status, and headers and trailers together."""
        tls = ssl.create_default_context(cadata=self.ca.decode())
        tls.set_alpn_protocols(["h2"])
        reader, writer = await asyncio.open_connection("localhost", self.port, ssl=tls)
        connection = h2.connection.H2Connection()
        connection.initiate_connection()
        request = {":method": "POST", ":path": path, ":scheme": "https", ":authority": "localhost", "te": "trailers"}
        request |= {"content-type": "application/grpc", "authorization": f"Bearer {self.token}"}
        connection.send_headers(1, list(request.items()))
        connection.send_data(1, body, end_stream=True)
        headers: dict[str, str] = {}
        ended = False
        async with asyncio.timeout(10):
            while not ended:
                writer.write(connection.data_to_send())
                for event in connection.receive_data(await reader.read(65536)):
                    if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                        headers.update({name.decode(): value.decode() for name, value in event.headers})
                    ended = ended or isinstance(event, h2.events.StreamEnded | h2.events.StreamReset)
        writer.close()
        return headers.pop(":status", ""), headers

    async def admin(self, path: str) -> Any:
        """Asks Envoy's admin interface."""
        connector = aiohttp.UnixConnector(str(self.folder / "admin.sock"))
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://admin" + path) as answer:
            return await answer.json(content_type=None)


@contextlib.asynccontextmanager
async def envoy(
    folder: pathlib.Path, control_plane_address: str, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A running Envoy that serves; ended whatever happens."""
    command = envoy_command(EnvoySettings(control_plane=control_plane_address, admin=str(folder / "admin.sock")))
    with (folder / "envoy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
    try:
        await until_connectable(port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until_connectable(port: int) -> None:
    """Returns once somebody listens on the port."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


def facts() -> Sequence[Any]:
    """A vendor without limits to speak of, one with a narrow one, an administrator, and an analyst."""
    return (
        vendor("vendor-1", requests_per_second=100_000),
        credential("client-1", "vendor-1"),
        credential("client-2", "platform", role=role_pb2.ROLE_ADMINISTRATOR),
        vendor("vendor-3", requests_per_second=1),
        credential("client-3", "vendor-3"),
        credential("client-5", "analysts", role=role_pb2.ROLE_ANALYST),
        credential("client-4", "vendor-1", method=vendor_pb2.CREDENTIAL_METHOD_SIGNATURE),
    )


@contextlib.asynccontextmanager
async def whole_edge(folder: pathlib.Path, *, records_away: bool = False, **changes: Any) -> AsyncIterator[Edge]:
    """Everything, in order. Envoy is the only process; the rest runs in this one."""
    seen, port = Seen(), free_port()
    (folder / "token.pem").write_text(TOKEN_PUBLIC)
    (folder / "signing.key").write_text(MASTER.hex())

    async def records(_: BaseSettings, mesh: Mesh) -> None:
        upload = {f"/parkmesh.access.v1.AccessRecordService/{name}" for name in ("UploadRecords", "StreamRecords")}
        mesh.serve(access_rpc.add_AccessRecordServiceServicer_to_server, Records(seen), item_validated=upload)  # type: ignore[abstract]
        mesh.serve(export_rpc.add_ExportServiceServicer_to_server, Exports())  # type: ignore[abstract]
        mesh.serve(reconciliation_rpc.add_ReconciliationServiceServicer_to_server, Books(seen))  # type: ignore[abstract]

    async def lots(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(registry_rpc.add_RegistryServiceServicer_to_server, Lots(seen))  # type: ignore[abstract]
        mesh.serve(token_rpc.add_TokenServiceServicer_to_server, Tokens(seen))
        mesh.serve(session_rpc.add_SessionServiceServicer_to_server, Sessions(seen))  # type: ignore[abstract]
        mesh.serve(vendor_rpc.add_VendorServiceServicer_to_server, vendor_rpc.VendorServiceServicer())  # type: ignore[abstract]
        mesh.serve(add_DirectoryServiceServicer_to_server, StatedRegistry(*facts()))

    async def shown(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(guidance_rpc.add_GuidanceServiceServicer_to_server, Guidance(seen))

    async with contextlib.AsyncExitStack() as stack:
        at_guidance = await stack.enter_async_context(running(shown, BaseSettings(), name="guidance"))
        at_records = await stack.enter_async_context(running(records, BaseSettings(), name="access-records"))
        at_lots = await stack.enter_async_context(running(lots, BaseSettings(), name="registry"))
        log = EmbeddedServer(ServerSettings(folder / "log", free_port()))
        stack.callback(log.kill)
        log.start()
        risk = RiskSettings(
            token_keys=folder / "token.pem",
            signing_key=folder / "signing.key",
            redis_url=log.url,
            registry_address=at_lots.address,
            requests_per_second=100_000,
            burst_seconds=2,
            public_requests_per_second=1000,
            public_requests_per_address=1000,
        )
        at_risk = await stack.enter_async_context(running(risk_control.bind, risk, name="risk-control"))
        stated: dict[str, Any] = {
            "port": port,
            "certificates": folder / "certificates",
            "upstreams": (
                f"parkmesh.registry.v1={at_lots.address}",
                f"parkmesh.access.v1={'127.0.0.1:1' if records_away else at_records.address}",
                f"parkmesh.guidance.v1={at_guidance.address}",
            ),
            "risk_control": at_risk.address,
            "request_timeout_seconds": 1.0,
        }
        settings = EdgeSettings(**(stated | changes))
        plane = await stack.enter_async_context(running(control_plane.bind, settings, name="edge"))
        await stack.enter_async_context(envoy(folder, plane.address, port))
        edge = Edge(port, folder, seen)
        async with asyncio.timeout(10):
            while (await edge.call("GET", "/v1/lots"))[0] != 200:  # noqa: ASYNC110 - the directory syncs elsewhere
                await asyncio.sleep(0.02)
        yield edge


@pytest.fixture(scope="session")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """The edge that all tests share; it holds no state that one test could leave for another but what was seen last."""
    async with whole_edge(tmp_path_factory.mktemp("edge")) as running_edge:
        yield running_edge


@pytest.fixture(scope="session")
def edge_tools() -> types.SimpleNamespace:
    """What tests need that start processes of their own."""
    return types.SimpleNamespace(free_port=free_port, envoy=envoy, whole_edge=whole_edge)
