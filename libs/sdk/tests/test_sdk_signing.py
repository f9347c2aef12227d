"""Signed requests of the SDK: every attempt anew, over exactly what is sent."""

import itertools
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from google.protobuf import json_format
from grpc import StatusCode
from parkmesh_sdk import Client, Connection, PlatformError, Protocol
from parkmesh_sdk.retry import Verdict, verdict
from parkmesh_sdk.signing import RequestSigner
from parkmesh_sdk.testing import RefusedError, record
from vocabulary.request_signature import SignedRequest, content_digest

KEY = "a signing key"


class Listener:
    """Takes any REST call over TLS, notes it as it arrived, and answers with an empty object or the next refusal."""

    def __init__(self, ca: Path) -> None:
        self.ca = ca
        self.url = ""
        self.refusals: list[RefusedError] = []
        self.seen: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.waits: list[float] = []

    async def take(self, request: web.BaseRequest) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append((request.method, request.raw_path, await request.read(), headers))
        if self.refusals:
            status = self.refusals.pop(0).status
            return web.Response(text=json_format.MessageToJson(status), status=503)
        return web.json_response({})

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def client(self, *, compress: bool = False) -> Client:
        connection = Connection(self.url, "client-1", ca=self.ca, signing_key=KEY)
        return Client(connection, protocol=Protocol.REST, compress=compress, sleep=self.sleep)


@pytest.fixture
async def listener(certificate: tuple[Path, Path]) -> AsyncIterator[Listener]:
    """A platform that a client signs for."""
    listening = Listener(certificate[0])
    runner = web.ServerRunner(web.Server(listening.take, auto_decompress=False), shutdown_timeout=0.1)
    await runner.setup()
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trust.load_cert_chain(*certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=trust).start()
    listening.url = f"https://localhost:{runner.addresses[0][1]}"
    yield listening
    await runner.cleanup()


@pytest.mark.parametrize("compress", [False, True])
async def test_what_is_signed_is_what_arrives(listener: Listener, compress: bool) -> None:
    async with listener.client(compress=compress) as client:
        await client.upload([record(1)])
        assert [found async for found in client.list_records("lot_/莆 1", end=datetime(2100, 1, 1, tzinfo=UTC))] == []
    assert [target.partition("?")[0] for _, target, _, _ in listener.seen] == [
        "/v1/records:upload",
        "/v1/lots/lot_%2F%E8%8E%86%201/records",
    ]
    for method, target, body, headers in listener.seen:
        path, _, query = target.partition("?")
        stated = (headers["x-parkmesh-timestamp"], headers["x-parkmesh-nonce"], "client-1", content_digest(body))
        expected = SignedRequest(method, path, query, *stated).headers(KEY)
        assert {name: headers[name] for name in expected} == expected
        assert "authorization" not in headers
    assert (listener.seen[0][2][:2] == b"\x1f\x8b") == compress
    assert "endTime=" in listener.seen[1][1]


async def test_every_attempt_is_signed_anew(listener: Listener) -> None:
    listener.refusals += [
        RefusedError(StatusCode.UNAVAILABLE),
        RefusedError(StatusCode.UNAUTHENTICATED, "NONCE_REUSED"),
    ]
    async with listener.client() as client:
        await client.upload([record(1)])
    nonces = {headers["x-parkmesh-nonce"] for _, _, _, headers in listener.seen}
    assert len(nonces) == len(listener.seen) == len(listener.waits) + 1 == 3
    assert len({body for _, _, body, _ in listener.seen}) == 1


@pytest.mark.parametrize("reason", ["UNAUTHENTICATED", "SIGNATURE_EXPIRED", "BODY_DIGEST_MISMATCH"])
async def test_a_refused_signature_is_not_sent_again(listener: Listener, reason: str) -> None:
    listener.refusals.append(RefusedError(StatusCode.UNAUTHENTICATED, reason))
    async with listener.client() as client:
        with pytest.raises(PlatformError) as refused:
            await client.upload([record(1)])
    assert refused.value.reason == reason
    assert len(listener.seen) == 1


def test_a_used_nonce_means_that_nobody_knows_what_became_of_the_first_copy() -> None:
    assert verdict(PlatformError(StatusCode.UNAUTHENTICATED, "", reason="NONCE_REUSED")) is Verdict.LATER


def test_nonces_and_times_are_fresh_and_of_their_form() -> None:
    times, count = iter([1, 2]), itertools.count()
    signer = RequestSigner("client-1", KEY, now_ms=lambda: next(times), nonce=lambda: f"nonce-{next(count)}")
    first, second = (signer.headers("GET", "/v1/lots?a=b", b"") for _ in range(2))
    stated = ("2", "nonce-1", "client-1", content_digest(b""))
    assert second == SignedRequest("GET", "/v1/lots", "a=b", *stated).headers(KEY)
    assert first["x-parkmesh-timestamp"] == "1"
    drawn = {RequestSigner("c", KEY).headers("GET", "/", b"")["x-parkmesh-nonce"] for _ in range(100)}
    assert len(drawn) == 100


def test_a_connection_is_a_secret_or_a_signing_key() -> None:
    connection = Connection("https://localhost", "client-1", signing_key=KEY)
    assert KEY not in repr(connection)
    with pytest.raises(ValueError, match="not both"):
        Connection("https://localhost", "client-1", "secret", signing_key=KEY)
    with pytest.raises(ValueError, match="REST"):
        Client(connection)
