"""Signed requests through a real edge: what is let through, and what is refused before any service sees it."""

import asyncio
import gzip
import json
import time
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import registry_service_pb2_grpc as registry_rpc
from parkmesh_sdk import Client, Connection, Protocol

UPLOAD = "/v1/records:upload"
HEADERS = ("client", "timestamp", "nonce", "content-sha256", "signature")
BODY = json.dumps(
    {
        "records": [
            {
                "recordId": "in-1",
                "lotId": "lot-1",
                "direction": "DIRECTION_ENTRY",
                "eventTime": "2026-01-01T08:00:00+08:00",
                "plateNumber": "闽B12345",
                "plateColour": "PLATE_COLOUR_BLUE",
                "vehicleClass": "VEHICLE_CLASS_SMALL",
                "gateId": "1",
                "laneId": "1",
            }
        ]
    },
    ensure_ascii=False,
).encode()


def reason_of(body: dict[str, Any]) -> str:
    (info,) = [detail for detail in body["details"] if detail["@type"].endswith("ErrorInfo")]
    return str(info["reason"])


async def refusal(edge: Any, verb: str, path: str, body: bytes | None, **headers: str) -> tuple[int, str]:
    """Status and reason of a signed request that no service may see."""
    edge.seen.request = None
    status, answer, _ = await edge.call(verb, path, body, token=None, **headers)
    assert edge.seen.request is None
    return status, reason_of(answer)


async def raw(edge: Any, *parts: bytes) -> bytes:
    """What the edge says to these bytes, when nothing follows them."""
    reader, writer = await asyncio.open_connection("localhost", edge.port, ssl=edge.tls)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(4096)
    writer.close()
    return answer


def head(verb: str, path: str, headers: dict[str, str], *more: str) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, *more, "", ""]).encode()


async def test_a_signed_upload_is_the_vendors_own(edge: Any) -> None:
    signed = edge.signature("POST", UPLOAD, BODY)
    status, answer, _ = await edge.call("POST", UPLOAD, BODY, token=None, **signed)
    assert (status, answer["accepted"]) == (200, 1)
    assert edge.seen.request.records[0].plate_number == "闽B12345"
    assert (edge.seen.caller.subject, edge.seen.caller.credential) == ("vendor-1", "client-4")
    assert not any(f"x-parkmesh-{name}" in edge.seen.metadata for name in HEADERS)


async def test_a_replay_is_refused(edge: Any) -> None:
    signed = edge.signature("POST", UPLOAD, BODY)
    assert (await edge.call("POST", UPLOAD, BODY, token=None, **signed))[0] == 200
    assert await refusal(edge, "POST", UPLOAD, BODY, **signed) == (401, "NONCE_REUSED")


@pytest.mark.parametrize("altered", [BODY.replace(b"in-1", b"in-2"), BODY + b" ", BODY[:-1], b"", b"{}"])
async def test_an_altered_body_is_refused(edge: Any, altered: bytes) -> None:
    signed = edge.signature("POST", UPLOAD, BODY)
    assert await refusal(edge, "POST", UPLOAD, altered, **signed) == (401, "BODY_DIGEST_MISMATCH")


async def test_what_is_signed_of_a_packed_body_is_what_is_sent(edge: Any) -> None:
    packed = gzip.compress(BODY)
    signed = edge.signature("POST", UPLOAD, packed)
    status, answer, _ = await edge.call("POST", UPLOAD, packed, token=None, content_encoding="gzip", **signed)
    assert (status, answer["accepted"]) == (200, 1)
    signed = edge.signature("POST", UPLOAD, BODY)
    refused = await refusal(edge, "POST", UPLOAD, packed, content_encoding="gzip", **signed)
    assert refused == (401, "BODY_DIGEST_MISMATCH")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/lots", 200),
        ("/v1/lots?", 200),
        ("/v1/lots?pageSize=3&pageToken=%E8%8E%86%e7%94%b0+x~y", 200),
        ("/v1/lots?pageToken=b&pageSize=3", 200),
        ("/v1/lots/lot_A-1", 200),
        ("/v1/lots/%E8%8E%86%e7%94%b0/records?pageSize=2", 200),
        ("/v1/nothing?x=1", 404),
    ],
)
async def test_path_and_query_are_signed_as_they_are_sent(edge: Any, target: str, status: int) -> None:
    """404 is told only to callers who are known: the signature was right."""
    got, answer, _ = await edge.call("GET", target, token=None, **edge.signature("GET", target))
    assert got == status, answer


@pytest.mark.parametrize(
    "target",
    ["/v1//lots", "/v1/./lots", "/v1/x/../lots", "/v1/lots/a%7Eb", "/v1/lots/%41", "/v1\\lots", "/v1/lots/a|b"],
)
async def test_a_path_that_the_edge_normalises_is_refused_unless_the_normal_form_was_signed(
    edge: Any, target: str
) -> None:
    answer = await raw(edge, head("GET", target, edge.signature("GET", target)))
    assert b" 401 " in answer.partition(b"\r\n")[0]
    assert b'"UNAUTHENTICATED"' in answer


async def test_the_normal_form_is_what_counts(edge: Any) -> None:
    answer = await raw(edge, head("GET", "/v1/x/..//lots", edge.signature("GET", "/v1/lots")))
    assert b" 200 " in answer.partition(b"\r\n")[0]


async def test_each_fact_that_is_signed_counts(edge: Any) -> None:
    for changes in (
        {"method": "GET"},
        {"path": "/v1/records:uploaD"},
        {"query": "x=1"},
        {"timestamp": "1700000000000"},
        {"nonce": "0123456789abcdef"},
        {"client_id": "client-1"},
        {"content_sha256": "0" * 64},
    ):
        right, other = edge.signature("POST", UPLOAD, BODY), edge.signature("POST", UPLOAD, BODY, **changes)
        signed = right | {"x-parkmesh-signature": other["x-parkmesh-signature"]}
        assert await refusal(edge, "POST", UPLOAD, BODY, **signed) == (401, "UNAUTHENTICATED"), changes


@pytest.mark.parametrize("name", HEADERS)
async def test_every_header_is_needed_once(edge: Any, name: str) -> None:
    signed = edge.signature("POST", UPLOAD, BODY)
    without = {header: value for header, value in signed.items() if header != f"x-parkmesh-{name}"}
    assert await refusal(edge, "POST", UPLOAD, BODY, **without) == (401, "UNAUTHENTICATED")
    twice = head(
        "GET", "/v1/lots", edge.signature("GET", "/v1/lots"), f"X-Parkmesh-{name}: {signed[f'x-parkmesh-{name}']}"
    )
    answer = await raw(edge, twice)
    assert b" 401 " in answer.partition(b"\r\n")[0]
    assert f'"field": "x-parkmesh-{name}"'.encode() in answer


async def test_a_clock_that_is_off_is_told_so(edge: Any) -> None:
    for minutes in (-6, 6):
        timestamp = str(time.time_ns() // 1_000_000 + minutes * 60_000)
        signed = edge.signature("POST", UPLOAD, BODY, timestamp=timestamp)
        assert await refusal(edge, "POST", UPLOAD, BODY, **signed) == (401, "SIGNATURE_EXPIRED")


async def test_a_token_and_a_signature_at_once_are_refused(edge: Any) -> None:
    for signed in (edge.signature("GET", "/v1/lots"), {"x-parkmesh-client": "client-4"}):
        status, answer, _ = await edge.call("GET", "/v1/lots", **signed)
        assert (status, reason_of(answer)) == (401, "UNAUTHENTICATED")


async def test_grpc_calls_cannot_be_signed(edge: Any) -> None:
    path = "/parkmesh.registry.v1.RegistryService/ListLots"
    async with edge.channel() as channel:
        call = registry_rpc.RegistryServiceStub(channel).ListLots
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(registry.ListLotsRequest(), metadata=list(edge.signature("POST", path, b"").items()), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    info = error_details_pb2.ErrorInfo()
    assert rpc_status.from_call(refused.value).details[0].Unpack(info)
    assert info.reason == "UNAUTHENTICATED"
    assert "sign a REST request" in (refused.value.details() or "")


async def test_a_body_in_chunks_is_the_same_body(edge: Any) -> None:
    half = len(BODY) // 2
    framing = ("content-type: application/json", "transfer-encoding: chunked")
    opening = head("POST", UPLOAD, edge.signature("POST", UPLOAD, BODY), *framing)
    chunks = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (BODY[:half], BODY[half:])]
    answer = await raw(edge, opening, *chunks, b"0\r\n\r\n")
    assert b" 200 " in answer.partition(b"\r\n")[0]


async def stat(edge: Any, name: str) -> int:
    """One of Envoy's own figures."""
    (only,) = (await edge.admin(f"/stats?format=json&filter=^http.edge.{name}$"))["stats"]
    return int(only["value"])


@pytest.mark.parametrize("framing", ["transfer-encoding: chunked", f"content-length: {len(BODY)}"])
async def test_a_body_that_ends_early_never_passes(edge: Any, framing: str) -> None:
    edge.seen.request = None
    admitted = await stat(edge, "ext_authz.ok")
    _, writer = await asyncio.open_connection("localhost", edge.port, ssl=edge.tls)
    signed, part = edge.signature("POST", UPLOAD, BODY), BODY[:-1]
    writer.write(head("POST", UPLOAD, signed, "content-type: application/json", framing))
    writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n" if "chunked" in framing else part)
    await writer.drain()
    async with asyncio.timeout(10):
        while await stat(edge, "ext_authz.ok") == admitted:  # noqa: ASYNC110 - Envoy has no events
            await asyncio.sleep(0.01)
        writer.close()
        while await stat(edge, "downstream_rq_active"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert edge.seen.request is None


async def test_a_body_as_large_as_the_edge_takes_can_be_signed(edge: Any) -> None:
    full = BODY + b" " * (4 * 1024 * 1024 - len(BODY))
    signed = edge.signature("POST", UPLOAD, full)
    assert (await edge.call("POST", UPLOAD, full, token=None, **signed))[0] == 200
    signed = edge.signature("POST", UPLOAD, full + b" ")
    assert await refusal(edge, "POST", UPLOAD, full + b" ", **signed) == (413, "REQUEST_TOO_LARGE")


async def test_whoever_cannot_sign_makes_nobody_hold_a_body(edge: Any) -> None:
    signed = edge.signature("POST", UPLOAD, BODY) | {"x-parkmesh-signature": "0" * 64}
    opening = head("POST", UPLOAD, signed, "content-type: application/json", "content-length: 4000000")
    answer = await raw(edge, opening, b"{")
    assert b" 401 " in answer.partition(b"\r\n")[0]


async def test_the_sdk_signs(edge: Any) -> None:
    ca = edge.folder / "certificates" / "ca.pem"
    connection = Connection(edge.url, "client-4", ca=ca, signing_key=edge.signing_key("client-4"))
    record = json_format.ParseDict(json.loads(BODY)["records"][0], AccessRecord())
    for compress in (False, True):
        async with Client(connection, protocol=Protocol.REST, compress=compress) as client:
            assert (await client.upload([record])).accepted == 1
            assert edge.seen.caller.credential == "client-4"
            await anext(client.list_records("lot_莆 ~1"))
            assert [found.lot_id async for found in client.list_lots()] == []
