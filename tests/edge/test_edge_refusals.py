"""Bad input: each gets a 4xx as google.rpc.Status that names the field at fault, never the value, never INTERNAL."""

import asyncio
import gzip
import json
import os
import struct
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_status import rpc_status  # type: ignore[import-untyped]

UPLOAD = "/v1/records:upload"
CANARY = "CANARY"
MEBIBYTE = 1024 * 1024


def items(*records: object) -> bytes:
    return json.dumps({"records": records}).encode()


def details(answer: Any) -> dict[str, Any]:
    return {detail["@type"].rpartition(".")[2]: detail for detail in answer["details"]}


def in_chinese(told: Any) -> bool:
    return told["locale"] == "zh-CN" and any("\u4e00" <= letter <= "\u9fff" for letter in told["message"])


async def refused(edge: Any, body: bytes, path: str = UPLOAD, **headers: str) -> tuple[int, int, str, list[str]]:
    """The refusal of a body: checked for what all of them have in common."""
    status, answer, found = await edge.call("POST", path, body, **headers)
    assert 400 <= status < 500, (status, answer)
    text = json.dumps(answer, ensure_ascii=False)
    assert CANARY not in text
    assert "INTERNAL" not in text
    by_kind = details(answer)
    assert by_kind["ErrorInfo"]["domain"] == "parkmesh"
    assert by_kind["RequestInfo"]["requestId"] == found["x-request-id"]
    assert in_chinese(by_kind["LocalizedMessage"])
    violations = by_kind.get("BadRequest", {}).get("fieldViolations", [])
    assert all(violation["reason"] and violation["description"].isascii() for violation in violations)
    assert all(in_chinese(violation["localizedMessage"]) for violation in violations)
    fields = [violation["field"] for violation in violations]
    return status, answer["code"], by_kind["ErrorInfo"]["reason"], fields


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (items({}, {"freeSpaces": CANARY}), "records[1].freeSpaces"),
        (items({}, {}, {"plateColour": CANARY}), "records[2].plateColour"),
        (items({}, {"plate_colour": CANARY}), "records[1].plateColour"),
        (items({"resend": CANARY}), "records[0].resend"),
        (items({"recordId": 1}), "records[0].recordId"),
        (items({"recordId": {CANARY: 1}}), "records[0].recordId"),
        (items({"recordId": [CANARY]}), "records[0].recordId"),
        (items({}, {"imageIds": ["a"], "plate_number": [[CANARY]]}), "records[1].plateNumber"),
        (items({}, {"imageIds": [{"a": CANARY}]}), "records[1].imageIds"),
        (items({"eventTime": "2100-01-01 08:00:00"}), "records[0].eventTime"),
        (items({"eventTime": f"{CANARY}"}), "records[0].eventTime"),
        (items({"eventTime": 17}), "records[0].eventTime"),
        (items({"eventTime": "99999-01-01T00:00:00Z"}), "records[0].eventTime"),
        (items({"freeSpaces": 1.5}), "records[0].freeSpaces"),
        (items({"freeSpaces": 99999999999}), "records[0].freeSpaces"),
        (items({"freeSpaces": "NaN"}), "records[0].freeSpaces"),
        (items({}, CANARY), "records[1]"),
        (items({}, 5), "records[1]"),
        (json.dumps({"records": CANARY}).encode(), "records"),
    ],
)
async def test_an_ill_typed_item_is_named(edge: Any, body: bytes, field: str) -> None:
    assert await refused(edge, body) == (400, 3, "MALFORMED_REQUEST", [field])


async def test_what_would_be_right_is_said_in_both_languages(edge: Any) -> None:
    for record, words in (
        ({"freeSpaces": CANARY}, ("must be a whole number in the range of 32 bits", "须为 32 位范围内的整数")),
        ({"plateColour": CANARY}, ("must be a name of the enum PlateColour", "须为枚举 PlateColour 的取值名称")),
        ({"recordId": {CANARY: 1}}, ("must not be an object", "不得为对象")),
    ):
        _, answer, _ = await edge.call("POST", UPLOAD, items(record))
        (violation,) = details(answer)["BadRequest"]["fieldViolations"]
        assert (violation["description"], violation["localizedMessage"]["message"]) == words
    _, answer, _ = await edge.call("GET", "/v1/lots?foo=1")
    (violation,) = details(answer)["BadRequest"]["fieldViolations"]
    assert violation["description"] == "is no query parameter of this method"
    # From a service's status, which Envoy turns into JSON.
    _, answer, _ = await edge.call("POST", UPLOAD, b"{}")
    (violation,) = details(answer)["BadRequest"]["fieldViolations"]
    assert violation == {
        "field": "records",
        "reason": "repeated.min_items",
        "description": "must list at least 1",
        "localizedMessage": {"locale": "zh-CN", "message": "至少 1 项"},
    }
    assert details(answer)["LocalizedMessage"]["message"].startswith("字段不符合")


@pytest.mark.parametrize(
    "body",
    [
        b'{"records": [,,}',
        b'{"records":[{"recordId":"CANARY',
        b'{"records":[{"recordId":"CANARY"}]',
        b"CANARY",
        b'"CANARY"',
        b"[1]",
        b"null",
        b"\x00\x00\x00",
        b'{"records":[{"freeSpaces":NaN}]}',
        b'{"records":[{"freeSpaces":Infinity}]}',
        b'{"records":[{"freeSpaces":1' + b"0" * 500 + b"}]}",
        b'{"records":[{"recordId":"\xff\xfeCANARY"}]}',
        b'{"records":[{"\xff\xfe":"CANARY"}]}',
        b'{"records":[{"recordId":"\\ud800"}]}',
        b'\xef\xbb\xbf{"records":[{"recordId":"CANARY"}]}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 5000,
        b'{"a":' * 5000,
        b'{"records":[{"CANARY":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
        b"\x1f\x8b" + os.urandom(100),
    ],
    ids=range(20),
)
async def test_what_is_no_json_of_ours_is_malformed(edge: Any, body: bytes) -> None:
    assert await refused(edge, body) == (400, 3, "MALFORMED_REQUEST", [])


async def test_an_empty_body_lacks_its_records(edge: Any) -> None:
    for body in (b"", b"{}", b'{"records":[]}', b'{"records":null}'):
        assert await refused(edge, body) == (400, 3, "INVALID_FIELD", ["records"])


async def test_duplicate_keys_and_nul_reach_the_service_which_decides(edge: Any) -> None:
    body = b'{"records":[{"recordId":"a","recordId":"b"},{"recordId":"a\\u0000b"},{"recordId":"c\x00"}]}'
    assert (await edge.call("POST", UPLOAD, body))[0] == 200
    assert [record.record_id for record in edge.seen.request.records] == ["b", "a\0b", "c\0"]


@pytest.mark.parametrize("size", [4 * MEBIBYTE + 1, 6 * MEBIBYTE])
async def test_a_body_beyond_the_limit_is_too_large(edge: Any, size: int) -> None:
    body = items({"recordId": "a"})
    assert await refused(edge, body + b" " * (size - len(body))) == (413, 11, "REQUEST_TOO_LARGE", [])


async def test_gzip_that_is_cut_off_or_none_is_malformed(edge: Any) -> None:
    packed = gzip.compress(items(*({"recordId": f"r{number}"} for number in range(500))))
    for body in (packed[:-12], packed[: len(packed) // 2], packed[:11], packed[:3], b"CANARY " * 20):
        answer = await refused(edge, body, content_encoding="gzip")
        assert answer == (400, 3, "MALFORMED_REQUEST", [])


async def test_a_gzip_bomb_stays_small(edge: Any) -> None:
    before = (await edge.admin("/memory"))["allocated"]
    bomb = gzip.compress(b'{"records":[{"recordId":"' + b"0" * (60 * MEBIBYTE) + b'"}]}')
    assert (await refused(edge, bomb, content_encoding="gzip"))[2] in {"MALFORMED_REQUEST", "REQUEST_TOO_LARGE"}
    noise = gzip.compress(b'{"records":[{"recordId":"' + os.urandom(3 * MEBIBYTE).hex().encode() + b'"}]}')
    assert await refused(edge, noise, content_encoding="gzip") == (413, 11, "REQUEST_TOO_LARGE", [])
    after = (await edge.admin("/memory"))["allocated"]
    assert int(after) - int(before) < 32 * MEBIBYTE


async def test_other_bodies_than_json_are_415(edge: Any) -> None:
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonx"):
        assert await refused(edge, b"a=CANARY", content_type=kind) == (415, 3, "MALFORMED_REQUEST", [])
    for packing in ("br", "deflate", "zstd"):
        assert await refused(edge, b"CANARY", content_encoding=packing) == (415, 3, "MALFORMED_REQUEST", [])
    for kind in ("application/json; charset=utf-8", "application/json"):
        assert (await edge.call("POST", UPLOAD, items({"recordId": "a"}), content_type=kind))[0] == 200


async def test_query_parameters_are_checked(edge: Any) -> None:
    for query, field in (("foo=CANARY", "foo"), ("pageSize=CANARY", "pageSize"), ("lot.CANARY=1", None)):
        status, answer, _ = await edge.call("GET", f"/v1/lots?{query}")
        found = details(answer)
        assert (status, found["ErrorInfo"]["reason"]) == (400, "MALFORMED_REQUEST")
        if field:
            (violation,) = found["BadRequest"]["fieldViolations"]
            assert (violation["field"], violation["reason"]) == (field, "type")
            assert in_chinese(violation["localizedMessage"])
            assert CANARY not in json.dumps(answer)


@pytest.mark.parametrize("path", ["/v1/lots/a%2Fb", "/v1/lots/%00", "/v1/lots/%ff%fe", "/v1/lots/%5c..%5c"])
async def test_odd_paths_are_400_or_404(edge: Any, path: str) -> None:
    status, answer, _ = await edge.call("GET", path)
    assert status in {200, 400, 404}
    if status != 200:
        assert details(answer)["ErrorInfo"]["reason"] in {"MALFORMED_REQUEST", "UNKNOWN_METHOD", "INVALID_FIELD"}


async def test_too_many_or_too_large_headers_are_refused(edge: Any) -> None:
    for headers in ({f"h{number}": "x" for number in range(70)}, {"h": "x" * 40_000}, {"under_score": "x"}):
        async with (
            aiohttp.ClientSession(headers={"authorization": f"Bearer {edge.token}"}) as session,
            session.get(edge.url + "/v1/lots", headers=headers, ssl=edge.tls) as answer,
        ):
            assert answer.status in {400, 431}
            assert details(await answer.json())["ErrorInfo"]["reason"] in {"MALFORMED_REQUEST", "REQUEST_TOO_LARGE"}
            assert not [name for name in answer.headers if name.lower().startswith("x-parkmesh")]


@pytest.mark.parametrize("text", [b"GET\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"])
async def test_what_is_no_http_is_400(edge: Any, text: bytes) -> None:
    reader, writer = await asyncio.open_connection("localhost", edge.port, ssl=edge.tls)
    writer.write(text)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert b"x-parkmesh" not in head
    assert details(json.loads(body))["ErrorInfo"]["reason"] == "MALFORMED_REQUEST"


async def test_head_has_a_status_and_no_body(edge: Any) -> None:
    status, answer, _ = await edge.call("HEAD", "/v1/nothing")
    assert (status, answer) == (404, {})


@pytest.mark.slow
async def test_a_service_that_is_too_slow_is_504(edge: Any) -> None:
    status, answer, _ = await edge.call("GET", "/v1/lots/7/records/slow")
    assert (status, answer["code"], details(answer)["ErrorInfo"]["reason"]) == (504, 4, "DEADLINE_EXCEEDED")
    async with edge.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await channel.unary_unary("/parkmesh.access.v1.AccessRecordService/GetRecord")(
                b"\x0a\x017\x12\x04slow", metadata=edge.metadata()
            )
    assert refusal.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "DEADLINE_EXCEEDED" in str(rpc_status.from_call(refusal.value).details[0])


async def test_malformed_protobuf_is_malformed(edge: Any) -> None:
    async with edge.channel() as channel:
        for body in (b"\xff\xff\xff", b"\x0a\xff\x01", b"\x0a\x02\x0a\x05"):
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await channel.unary_unary("/parkmesh.access.v1.AccessRecordService/UploadRecords")(
                    body, metadata=edge.metadata()
                )
            assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "MALFORMED_REQUEST" in str(rpc_status.from_call(refusal.value).details[0])


async def test_a_grpc_message_beyond_the_limit_is_too_large(edge: Any) -> None:
    async with edge.channel() as channel:
        for _ in range(5):
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await channel.unary_unary("/parkmesh.access.v1.AccessRecordService/UploadRecords")(
                    b"\x00" * (5 * MEBIBYTE), metadata=edge.metadata()
                )
            # A client that is still writing when it is answered may not hear the answer.
            if refusal.value.code() is not grpc.StatusCode.INTERNAL:
                break
    assert refusal.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert "REQUEST_TOO_LARGE" in str(rpc_status.from_call(refusal.value).details[0])


@pytest.mark.parametrize(
    "frame", [b"\x00" + struct.pack(">I", 100) + b"abc", b"\x00\x00", b"", b"\x07\x00\x00\x00\x01a"]
)
async def test_a_cut_off_grpc_frame_does_no_harm(edge: Any, frame: bytes) -> None:
    status, headers = await edge.http2("/parkmesh.access.v1.AccessRecordService/UploadRecords", frame)
    assert status == "200"
    assert headers["grpc-status"] not in {"0", "13"}
    assert (await edge.call("POST", UPLOAD, items({"recordId": "a"})))[0] == 200
