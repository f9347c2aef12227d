"""What the whole platform refuses: who is nobody, what is not theirs, and what is no request; none of it is stored."""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from grpc import StatusCode
from local_platform.testing import RunningPlatform
from mesh import contract
from mesh.caller import HEADER, Caller, CallerKind, Signer, generate_key_pair
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.edge.v1 import ext_authz_pb2
from parkmesh_cli.premises import Site, Way

from ..city import HOUR_MS, analyst, count, drained, foreign_lot, lots, now_ms, reader, record
from .wire import UPLOAD, UPLOAD_RPC, Answer, Wire

VERBS = ("get", "put", "post", "delete", "patch")
METHODS = contract.methods()
CLOSED = [method for method in METHODS if not contract.is_public(method)]
INTERNAL = [method for method in CLOSED if contract.kinds_of(method) == {CallerKind.SERVICE}]
SERVICES = {
    "parkmesh.registry.v1": "registry",
    "parkmesh.access.v1": "access-records",
    "parkmesh.guidance.v1": "guidance",
}
KINDS = {
    "vendor": CallerKind.VENDOR,
    "administrator": CallerKind.ADMINISTRATOR,
    "securityAdministrator": CallerKind.SECURITY_ADMINISTRATOR,
    "auditAdministrator": CallerKind.AUDIT_ADMINISTRATOR,
}
"""What the accounts of demo.json are."""
UNAUTHENTICATED = StatusCode.UNAUTHENTICATED.value[0]
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
async def sites(platform: RunningPlatform) -> list[Site]:
    return await lots(platform, "refusals", 1)


@pytest.fixture
def wire(platform: RunningPlatform) -> Wire:
    return Wire(platform)


def rest_paths(method: MethodDescriptor) -> Iterator[tuple[str, str]]:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    for each in (rule, *rule.additional_bindings):
        for verb in VERBS:
            if getattr(each, verb):
                yield verb.upper(), re.sub(r"\{[^}]+\}", "7", getattr(each, verb))


@pytest.mark.parametrize("token", ["", "abc", "a.b.c"])
async def test_without_a_good_token_every_path_is_401(wire: Wire, token: str) -> None:
    paths = [path for method in CLOSED for path in rest_paths(method)]
    assert len(paths) >= 15
    for verb, path in [*paths, ("GET", "/"), ("GET", "/v1/nothing"), ("POST", "/v1/records:delete")]:
        answer = await wire.rest(verb, path, b"{}" if verb == "POST" else None, token=token)
        assert (answer.status, answer.reason) == (401, "UNAUTHENTICATED"), (verb, path)


async def test_without_a_token_every_method_is_unauthenticated(wire: Wire) -> None:
    for path in [*map(contract.path_of, CLOSED), "/parkmesh.access.v1.AccessRecordService/Nothing", "/a.B/C"]:
        answer = await wire.grpc(path, b"")
        assert (answer.status, answer.reason) == (UNAUTHENTICATED, "UNAUTHENTICATED"), path


async def test_public_methods_take_whoever_comes(wire: Wire) -> None:
    public = [method.name for method in METHODS if contract.is_public(method)]
    assert sorted(public) == [
        "ActivateAccount",
        "ExchangeOnboardingCode",
        "GetReportKey",
        "IssueToken",
        "Login",
        "SearchLots",
    ]
    assert await wire.token()
    answer = await wire.rest("POST", "/v1/token", b'{"clientId":"nobody","clientSecret":"nothing"}')
    assert (answer.status, answer.reason) == (401, "BAD_CREDENTIAL")
    point = "latitude=25.4541&longitude=119.0077&coordinateSystem=COORDINATE_SYSTEM_WGS84"
    assert (await wire.rest("GET", f"/v1/public/lots:search?{point}")).status == 200
    assert (await wire.rest("GET", "/v1/public/lots:search")).status == 400
    assert (await wire.rest("GET", "/v1/books/reportKey")).status == 200


@pytest.mark.parametrize("who", KINDS)
async def test_what_is_for_services_does_not_exist_outside(wire: Wire, who: str) -> None:
    assert [method.name for method in INTERNAL] == ["WatchDirectory"]
    for path in [*map(contract.path_of, INTERNAL), "/envoy.service.auth.v3.Authorization/Check"]:
        answer = await wire.grpc(path, b"", token=await wire.token(who))
        assert (answer.status, answer.reason) == (StatusCode.UNIMPLEMENTED.value[0], "UNKNOWN_METHOD"), path


@pytest.mark.parametrize(("who", "kind"), KINDS.items())
async def test_nobody_calls_what_is_for_others(wire: Wire, who: str, kind: CallerKind) -> None:
    token = await wire.token(who)
    others = [method for method in CLOSED if kind not in contract.kinds_of(method) and method not in INTERNAL]
    assert others
    for method in others:
        answer = await wire.grpc(contract.path_of(method), b"", token=token)
        assert answer.status == StatusCode.PERMISSION_DENIED.value[0], method.full_name


async def test_reaching_a_services_own_port_is_not_enough(wire: Wire, platform: RunningPlatform) -> None:
    vendor = Caller(CallerKind.VENDOR, platform.demo["vendor"]["vendorId"], platform.demo["vendor"]["clientId"])
    own_key = Signer("risk-control", generate_key_pair()[0]).assertion(vendor, now_ms())
    # A key that is trusted speaks for its own service only.
    registry = Signer("registry", (Path(platform.folder) / "keys" / "registry.key").read_text())
    token = await wire.token()
    tries = [
        [],
        [("authorization", f"Bearer {token}")],
        [(HEADER, "x")],
        [(HEADER, token)],
        [(HEADER, own_key)],
        [(HEADER, registry.assertion(vendor, now_ms()))],
    ]
    for method in CLOSED:
        service = SERVICES[method.containing_service.file.package]
        for metadata in tries:
            answer = await wire.service(service, contract.path_of(method), b"", metadata)
            assert answer.status == UNAUTHENTICATED, (method.full_name, answer)
    # What Envoy asks is answered to whoever asks: without a token by a refusal, never by an assertion.
    answer = await wire.service("risk-control", "/envoy.service.auth.v3.Authorization/Check", b"")
    check = ext_authz_pb2.CheckResponse.FromString(answer.body)
    assert (check.status.code, check.HasField("ok_response")) == (UNAUTHENTICATED, False)
    assert HEADER.encode() not in answer.body


async def test_an_assertion_from_outside_is_stripped(wire: Wire, platform: RunningPlatform) -> None:
    administrator = Caller(CallerKind.ADMINISTRATOR, "admin", "admin")
    signer = Signer("risk-control", (Path(platform.folder) / "keys" / "risk-control.key").read_text())
    forged = {HEADER: signer.assertion(administrator, now_ms())}
    assert (await wire.rest("GET", "/v1/vendors", headers=forged)).status == 401
    assert (await wire.rest("GET", "/v1/vendors", token=await wire.token(), headers=forged)).status == 403


async def test_a_foreign_lot_is_as_one_that_does_not_exist(wire: Wire, platform: RunningPlatform) -> None:
    foreign = await foreign_lot(platform, "refusals-foreign")
    unknown = foreign[:-8] + ("0" * 8 if foreign[-8:] != "0" * 8 else "1" * 8)
    token = await wire.token()
    assert (await wire.rest("GET", f"/v1/lots/{foreign}", token=await wire.token("administrator"))).status == 200

    async def seen(lot_id: str) -> list[tuple[object, ...]]:
        sent = record(Site(lot_id, (Way("1", "1"),), ()), "r-1", now_ms() - HOUR_MS)
        sent.event_time.nanos = 0
        batch = access.UploadRecordsRequest(records=[sent])
        body = json.dumps(MessageToDict(batch)).encode()
        got = access.GetRecordRequest(lot_id=lot_id, record_id="r-1").SerializeToString()
        answers = [
            await wire.rest("GET", f"/v1/lots/{lot_id}", token=token),
            await wire.rest("GET", f"/v1/lots/{lot_id}/gates", token=token),
            await wire.rest("GET", f"/v1/lots/{lot_id}/records", token=token),
            await wire.rest("GET", f"/v1/lots/{lot_id}/records/r-1", token=token),
            await wire.grpc("/parkmesh.access.v1.AccessRecordService/GetRecord", got, token=token),
        ]
        assert {answer.reason for answer in answers} == {"LOT_NOT_FOUND"}
        upload = (await wire.rest("POST", UPLOAD, body, token=token)).content
        assert upload["rejected"] == 1
        upload.pop("serverTime")
        return [*(answer.without_id() for answer in answers), (json.dumps(upload),)]

    assert await seen(foreign) == await seen(unknown)


def body_of(*records: object) -> bytes:
    return json.dumps({"records": records}).encode()


def good(site: Site, record_id: str) -> dict[str, Any]:
    """A record that nothing is wrong with, as JSON."""
    made: dict[str, Any] = MessageToDict(record(site, record_id, now_ms() - HOUR_MS))
    return made


def bad_bodies(site: Site) -> dict[str, tuple[bytes, list[str]]]:
    """Bodies that cannot be taken, by what is wrong, with a good record inside; and the field at fault."""
    item = good(site, "beside-a-bad-one")
    whole = body_of(item)
    return {
        "cut off": (whole[:-3], []),
        "a number as text": (body_of(item, {**item, "freeSpaces": "many"}), ["records[1].freeSpaces"]),
        "an object as text": (body_of(item, item, {**item, "recordId": {"a": 1}}), ["records[2].recordId"]),
        "an unknown enum": (body_of(item, {**item, "direction": "UPWARDS"}), ["records[1].direction"]),
        "no time": (body_of(item, {**item, "eventTime": "yesterday"}), ["records[1].eventTime"]),
        "an item that is none": (body_of(item, 7), ["records[1]"]),
        "byte-order mark": (b"\xef\xbb\xbf" + whole, []),
        "invalid UTF-8": (whole.replace(b"beside", b"bes\xff\xfe"), []),
        "half a surrogate": (whole.replace(b"beside", b"\\ud800"), []),
        "deep nesting": (whole[:-1] + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}", []),
        "raw NULs": (b"\x00" * 64 + whole, []),
        "UTF-16": (whole.decode().encode("utf-16"), []),
        "nothing": (b"", ["records"]),
        "no records": (b'{"records":[]}', ["records"]),
        "too many": (body_of(*[item] * 1001), ["records"]),
        "too large": (whole + b" " * (4 * MEBIBYTE), []),
    }


def is_refusal(answer: Answer) -> bool:
    """Whether it is a 4xx with a google.rpc.Status that says why, has an id, and does not speak of an inside."""
    said = json.dumps(answer.error)
    return 400 <= answer.status < 500 and "ErrorInfo" in said and "RequestInfo" in said and "INTERNAL" not in said


async def test_bad_json_is_refused_and_nothing_of_it_stored(
    wire: Wire, platform: RunningPlatform, sites: list[Site]
) -> None:
    token = await wire.token()
    for name, (body, fields) in bad_bodies(sites[0]).items():
        answer = await wire.rest("POST", UPLOAD, body, token=token)
        assert is_refusal(answer), (name, answer)
        assert answer.fields == fields, (name, answer)
    await nothing_stored(wire, platform, sites[0], token)


async def test_bad_protobuf_is_refused_and_nothing_of_it_stored(
    wire: Wire, platform: RunningPlatform, sites: list[Site]
) -> None:
    token = await wire.token()
    item = record(sites[0], "beside-a-bad-one", now_ms() - HOUR_MS)
    whole = access.UploadRecordsRequest(records=[item]).SerializeToString()
    bodies = {
        "cut off": whole[:-3],
        "noise": b"\xff" * 64,
        "invalid UTF-8": whole.replace(b"beside", b"bes\xff\xfee"),
        "a group without end": whole + b"\x0b" * 200,
        "a length beyond the end": b"\x0a" + b"\xff\xff\xff\xff\x07" + whole,
        "too many": access.UploadRecordsRequest(records=[item] * 1001).SerializeToString(),
        "nothing": b"",
        "too large": whole + struct.pack(">I", 0) * MEBIBYTE,
    }
    allowed = {StatusCode.INVALID_ARGUMENT.value[0], StatusCode.OUT_OF_RANGE.value[0]}
    for name, body in bodies.items():
        answer = await wire.grpc(UPLOAD_RPC, body, token=token)
        for _ in range(4):
            # A client that is still writing when it is answered may not hear the answer.
            if name == "too large" and answer.error == {"code": StatusCode.INTERNAL.value[0]}:
                answer = await wire.grpc(UPLOAD_RPC, body, token=token)
        assert answer.status in allowed, (name, answer)
        assert answer.reason in {"MALFORMED_REQUEST", "REQUEST_TOO_LARGE", "INVALID_FIELD"}, (name, answer)
    await nothing_stored(wire, platform, sites[0], token)


async def nothing_stored(wire: Wire, platform: RunningPlatform, site: Site, token: str) -> None:
    """Asserts that the good record of the bad bodies is nowhere, and that the platform goes on as before."""
    answer = await wire.rest("GET", f"/v1/lots/{site.lot_id}/records/beside-a-bad-one", token=token)
    assert (answer.status, answer.reason) == (404, "RECORD_NOT_FOUND")
    await drained(platform)
    async with reader(platform) as history:
        rows = await history.rows("SELECT count() FROM store.record_revisions WHERE record_id LIKE 'bes%'")
    assert rows == [(0,)]
    assert (await wire.rest("GET", "/v1/lots", token=token)).status == 200


async def test_a_bad_item_is_refused_by_name_and_the_good_ones_stored(
    wire: Wire, platform: RunningPlatform, sites: list[Site]
) -> None:
    site, token = sites[0], await wire.token()
    bad: dict[str, dict[str, Any]] = {
        "recordId": {"recordId": "a\0b"},
        "direction": {"direction": "DIRECTION_UNSPECIFIED"},
        "plateNumber": {"plateNumber": "x" * 17},
        "freeSpaces": {"freeSpaces": -1},
        "eventTime": {"eventTime": "2100-01-01T00:00:00+08:00"},
        "laneId": {"laneId": ""},
        "lotId": {"lotId": "nobody"},
    }
    items = [good(site, "item-good-1")]
    items += [{**good(site, f"item-bad-{number}"), **changes} for number, changes in enumerate(bad.values())]
    items.append(good(site, "item-good-2"))
    answer = await wire.rest("POST", UPLOAD, body_of(*items), token=token)
    assert answer.status == 200
    assert (answer.content["accepted"], answer.content["rejected"], answer.content["allStored"]) == (2, len(bad), False)
    assert [item["field"] for item in answer.content["items"]] == [
        f"records[{place}].{field}" for place, field in enumerate(bad, start=1)
    ]
    assert all(item["reason"] and item["message"] and not item["retryable"] for item in answer.content["items"])
    await drained(platform)
    async with analyst(platform) as desk:
        rows = await desk.rows("SELECT record_id FROM records WHERE startsWith(record_id, 'item-') ORDER BY record_id")
        assert rows == [("item-good-1",), ("item-good-2",)]
        assert await count(desk, "records", sites) == 2
