"""What gets through the edge, and in which form."""

import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc
import pytest
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import access_record_service_pb2_grpc as access_rpc
from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh.registry.v1 import registry_service_pb2_grpc as registry_rpc
from parkmesh.registry.v1 import vendor_service_pb2
from parkmesh.registry.v1 import vendor_service_pb2_grpc as vendor_rpc

RECORD = {
    "recordId": "r-1",
    "lotId": "lot-1",
    "direction": "DIRECTION_ENTRY",
    "eventTime": "2100-01-01T08:00:00+08:00",
    "plateNumber": "闽B12345",
    "plateColour": "PLATE_COLOUR_BLUE",
    "vehicleClass": "VEHICLE_CLASS_SMALL",
    "gateId": "g1",
    "laneId": "in1",
}


def upload(*records: object) -> bytes:
    return json.dumps({"records": records}).encode()


async def test_rest_becomes_grpc_and_json_comes_back_whole(edge: Any) -> None:
    status, answer, headers = await edge.call("POST", "/v1/records:upload", upload(RECORD))
    assert status == 200
    assert answer["allStored"] is True
    assert (answer["accepted"], answer["duplicate"], answer["items"]) == (1, 0, [])
    assert edge.seen.request.records[0].plate_number == "闽B12345"
    assert edge.seen.request.records[0].event_time.seconds == 4102444800
    assert headers["x-request-id"] == edge.seen.metadata["x-request-id"]


async def test_enums_are_names_and_zeros_are_printed(edge: Any) -> None:
    _, answer, _ = await edge.call("GET", "/v1/lots/7")
    expected = {
        "lotId": "7",
        "registrationNumber": "",
        "name": "停车场",
        "type": "LOT_TYPE_UNSPECIFIED",
        "divisionCode": "",
        "address": "",
        "openBerths": 0,
        "state": "LOT_STATE_UNSPECIFIED",
    }
    assert {name: answer.get(name) for name in expected} == expected
    assert answer.keys() >= {"berths", "chargingMethod", "heightLimitCm"}


async def test_the_caller_is_asserted_and_the_token_goes_no_further(edge: Any) -> None:
    await edge.call("GET", "/v1/lots/7")
    assert edge.seen.caller == Caller(CallerKind.VENDOR, "vendor-1", "client-1")
    assert "authorization" not in edge.seen.metadata
    await edge.call("GET", "/v1/lots/7", token=edge.administrator)
    assert edge.seen.caller == Caller(CallerKind.ADMINISTRATOR, "platform", "client-2")


async def test_nothing_that_only_we_may_say_is_taken_from_outside(edge: Any) -> None:
    for forged in ("forged", edge.token):
        ours = {"X-Parkmesh-Caller": forged, "x-parkmesh-unknown-fields": "forged", "x-request-id": "forged-request"}
        status, _, _ = await edge.call("POST", "/v1/records:upload", upload(RECORD), **ours, X_Parkmesh_Else="forged")
        assert status == 200
        assert edge.seen.caller.subject == "vendor-1"
        assert not [value for value in edge.seen.metadata.values() if "forged" in value]
        status, _, _ = await edge.call("POST", "/v1/token", b'{"clientId":"x","clientSecret":"y"}', token=None, **ours)
        assert (status, edge.seen.caller) == (200, None)
        assert "x-parkmesh-caller" not in edge.seen.metadata


async def test_grpc_callers_cannot_assert_themselves(edge: Any) -> None:
    async with edge.channel() as channel:
        stub = registry_rpc.RegistryServiceStub(channel)
        forged = [*edge.metadata(), ("x-parkmesh-caller", "forged"), ("x-parkmesh-caller-bin", b"forged")]
        await stub.GetLot(registry.GetLotRequest(lot_id="7"), metadata=forged)
    assert edge.seen.caller.subject == "vendor-1"
    assert "forged" not in str(edge.seen.metadata)


async def test_gzip_bodies_are_taken(edge: Any) -> None:
    body = gzip.compress(upload(*(RECORD | {"recordId": f"r-{number}"} for number in range(1000))))
    status, answer, _ = await edge.call("POST", "/v1/records:upload", body, content_encoding="gzip")
    assert (status, answer["accepted"]) == (200, 1000)
    assert "content-encoding" not in edge.seen.metadata


async def test_bodies_up_to_the_limit_are_taken(edge: Any) -> None:
    body = upload(RECORD)
    padded = body[:-1] + b" " * (4 * 1024 * 1024 - len(body)) + b"}"
    assert len(padded) == 4 * 1024 * 1024
    assert (await edge.call("POST", "/v1/records:upload", padded))[0] == 200


async def test_large_answers_come_back(edge: Any) -> None:
    status, answer, _ = await edge.call("GET", "/v1/lots/7/records?pageSize=1000")
    assert (status, len(answer["records"])) == (200, 3000)


async def test_queries_become_fields(edge: Any) -> None:
    path = "/v1/lots/7/records?startTime=2100-01-01T08:00:00%2B08:00&direction=DIRECTION_EXIT&page_size=5"
    assert (await edge.call("GET", path))[0] == 200
    request = edge.seen.request
    assert (request.lot_id, request.start_time.seconds, request.direction, request.page_size) == ("7", 4102444800, 2, 5)


async def test_native_grpc_and_streams_pass_on_the_same_port(edge: Any) -> None:
    async def messages() -> AsyncIterator[access.StreamRecordsRequest]:
        for sequence in range(5):
            yield access.StreamRecordsRequest(sequence=sequence, records=[record_pb2.AccessRecord(record_id="r")])

    async with edge.channel() as channel:
        stub = access_rpc.AccessRecordServiceStub(channel)
        answers = stub.StreamRecords(messages(), metadata=edge.metadata())
        assert [answer.sequence async for answer in answers] == [0, 1, 2, 3, 4]
        request = access.UploadRecordsRequest(records=[record_pb2.AccessRecord(record_id="r")])
        answer = await stub.UploadRecords(request, metadata=edge.metadata())
        assert answer.accepted == 1
        assert (await edge.call("GET", "/v1/lots/7"))[0] == 200
        assert await channel.unary_unary("/parkmesh.registry.v1.TokenService/IssueToken")(
            b"\x0a\x01x\x12\x01y", metadata=[]
        )


async def test_the_services_refusal_reaches_both_kinds_of_caller(edge: Any) -> None:
    status, answer, _ = await edge.call("POST", "/v1/records:upload", b'{"records":[]}')
    assert (status, answer["code"]) == (400, 3)
    kinds = [detail["@type"].rpartition(".")[2] for detail in answer["details"]]
    assert kinds == ["ErrorInfo", "BadRequest", "LocalizedMessage", "RequestInfo"]
    assert answer["details"][1]["fieldViolations"][0]["field"] == "records"
    async with edge.channel() as channel:
        stub = vendor_rpc.VendorServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.ListVendors(vendor_service_pb2.ListVendorsRequest(), metadata=edge.metadata())
        assert refusal.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_file_larger_than_any_answer_streams_through_as_it_is(edge: Any) -> None:
    """48 MB come whole, under their name and type, and Envoy never holds them: an answer in JSON ends at 32 MB."""
    pieces = 192
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            f"{edge.url}/v1/exports/export-{pieces}:download",
            headers={"authorization": f"Bearer {edge.analyst}"},
            ssl=edge.tls,
        ) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="export-{pieces}.csv"'
        told = hashlib.sha256()
        async for chunk in answer.content.iter_chunked(1 << 20):
            told.update(chunk)
    want = hashlib.sha256()
    for number in range(pieces):
        want.update(bytes([number % 256]) * 262_144)
    assert told.digest() == want.digest()


async def test_a_download_that_is_refused_is_refused_in_json(edge: Any) -> None:
    status, answer, _ = await edge.call("GET", "/v1/exports/export-1:download")
    assert (status, answer["details"][0]["reason"]) == (403, "METHOD_NOT_ALLOWED")
