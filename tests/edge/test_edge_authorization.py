"""No method is open by accident: every REST path and gRPC method, known or not, needs a token unless it is public."""

import asyncio
import re
from typing import Any

import grpc
import pytest
from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import MethodDescriptor
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh import contract
from mesh.caller import CallerKind

VERBS = ("get", "put", "post", "delete", "patch")
METHODS = contract.methods()
PUBLIC = [method for method in METHODS if contract.is_public(method)]
CLOSED = [method for method in METHODS if not contract.is_public(method)]


def rest_paths(method: MethodDescriptor) -> list[tuple[str, str]]:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    return [
        (verb.upper(), re.sub(r"\{[^}]+\}", "7", getattr(each, verb)))
        for each in (rule, *rule.additional_bindings)
        for verb in VERBS
        if getattr(each, verb)
    ]


CLOSED_REST = [path for method in CLOSED for path in rest_paths(method)]
UNKNOWN_REST = [("GET", "/"), ("GET", "/v1/nothing"), ("POST", "/v1"), ("DELETE", "/v1/lots/7"), ("PUT", "/v2/token")]
UNKNOWN_GRPC = [
    "/a.B/C",
    "/parkmesh.registry.v1.RegistryService/Nothing",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Check",
    "/envoy.service.auth.v3.Authorization/Check",
]


def reason_of(answer: Any) -> str:
    (info,) = [detail for detail in answer["details"] if detail["@type"].endswith("google.rpc.ErrorInfo")]
    assert info["domain"] == "parkmesh"
    return str(info["reason"])


def test_there_is_something_to_walk() -> None:
    assert len(PUBLIC) >= 1
    assert len(CLOSED) >= 17
    assert len(CLOSED_REST) >= 15


@pytest.mark.parametrize("token", [None, "x", "a.b.c"])
async def test_every_rest_path_is_401_without_a_good_token(edge: Any, token: str | None) -> None:
    for verb, path in CLOSED_REST + UNKNOWN_REST:
        body = b'{"malformed' if verb in {"POST", "PUT", "PATCH"} else None
        status, answer, headers = await edge.call(verb, path, body, token=token)
        assert (status, answer["code"], reason_of(answer)) == (401, 16, "UNAUTHENTICATED"), (verb, path)
        assert answer["details"][-1]["requestId"] == headers["x-request-id"]


async def test_every_grpc_method_is_unauthenticated_without_a_token(edge: Any) -> None:
    async with edge.channel() as channel:
        for path in [contract.path_of(method) for method in CLOSED] + UNKNOWN_GRPC:
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await channel.unary_unary(path)(b"\xff")
            assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED, path
            status = rpc_status.from_call(refusal.value)
            assert [detail.TypeName() for detail in status.details] == [
                "google.rpc.ErrorInfo",
                "google.rpc.LocalizedMessage",
                "google.rpc.RequestInfo",
            ]


LAWFUL = {
    "ActivateAccount": ("", b'{"activationCode":"x","password":"long-enough-to-be-one"}'),
    "ExchangeOnboardingCode": ("", b'{"code":"x"}'),
    "GetReportKey": ("", None),
    "IssueToken": ("", b'{"clientId":"x","clientSecret":"y"}'),
    "Login": ("", b'{"login":"x","password":"y","totp":"000000"}'),
    "SearchLots": ("?latitude=25.4541&longitude=119.0077&coordinateSystem=COORDINATE_SYSTEM_WGS84", None),
}


async def test_public_methods_need_none(edge: Any) -> None:
    for method in PUBLIC:
        query, body = LAWFUL[method.name]
        for verb, path in rest_paths(method):
            status, _, _ = await edge.call(verb, path + query, body, token=None)
            assert status == 200
            assert edge.seen.caller is None


async def test_a_search_is_understood_from_its_query(edge: Any) -> None:
    point = "latitude=25.4541&longitude=119.0077&coordinateSystem=COORDINATE_SYSTEM_GCJ02&radiusM=500&pageSize=7"
    assert (await edge.call("GET", f"/v1/public/lots:search?{point}", token=None))[0] == 200
    asked = edge.seen.request
    assert (asked.latitude, asked.longitude, asked.coordinate_system) == (25.4541, 119.0077, 1)
    assert (asked.radius_m, asked.page_size) == (500, 7)


async def test_a_search_without_its_system_is_told_so(edge: Any) -> None:
    status, answer, _ = await edge.call("GET", "/v1/public/lots:search?latitude=25.4&longitude=119.0", token=None)
    (fault,) = next(detail["fieldViolations"] for detail in answer["details"] if "fieldViolations" in detail)
    assert (status, fault["field"], fault["reason"]) == (400, "coordinateSystem", "coordinate.system_required")


async def test_with_a_token_unknown_paths_are_404(edge: Any) -> None:
    for verb, path in UNKNOWN_REST:
        status, answer, _ = await edge.call(verb, path)
        assert (status, answer["code"], reason_of(answer)) == (404, 12, "UNKNOWN_METHOD"), (verb, path)


async def test_methods_for_services_and_the_services_own_ports_methods_do_not_exist_outside(edge: Any) -> None:
    internal = [contract.path_of(m) for m in CLOSED if contract.kinds_of(m) == {CallerKind.SERVICE}]
    assert "/parkmesh.registry.v1.DirectoryService/WatchDirectory" in internal
    async with edge.channel() as channel:
        for path in internal + UNKNOWN_GRPC:
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await channel.unary_unary(path)(b"", metadata=edge.metadata())
            assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED, path
            assert "UNKNOWN_METHOD" in str(rpc_status.from_call(refusal.value).details[0])


async def test_json_to_a_grpc_path_is_no_way_in(edge: Any) -> None:
    for method in METHODS:
        assert (await edge.call("POST", contract.path_of(method), b"{}", token=None))[0] == 401
        assert (await edge.call("POST", contract.path_of(method), b"{}"))[0] == 404


@pytest.mark.parametrize(
    "path", ["/v1/token/../lots", "/v1/token/./../lots", "//v1/token//../lots", "/v1/%74oken/../lots"]
)
async def test_no_spelling_of_a_public_path_opens_another(edge: Any, path: str) -> None:
    status, answer, _ = await edge.call("GET", path, token=None)
    assert (status, reason_of(answer)) == (401, "UNAUTHENTICATED")


async def test_a_vendor_over_its_rate_is_told_how_long_to_wait(edge: Any) -> None:
    for _ in range(100):
        status, answer, headers = await edge.call("GET", "/v1/lots", token=edge.limited)
        if status != 200:
            break
    assert (status, answer["code"], reason_of(answer)) == (429, 8, "RATE_LIMITED")
    assert headers["retry-after"] == "1"
    assert [detail for detail in answer["details"] if "retryDelay" in detail]
    async with edge.channel() as channel:
        lots = channel.unary_unary("/parkmesh.registry.v1.RegistryService/ListLots")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await asyncio.gather(
                *(lots(b"", metadata=[("authorization", f"Bearer {edge.limited}")]) for _ in range(20))
            )
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    kinds = [detail.TypeName() for detail in rpc_status.from_call(refusal.value).details]
    assert kinds == [
        "google.rpc.ErrorInfo",
        "google.rpc.RetryInfo",
        "google.rpc.LocalizedMessage",
        "google.rpc.RequestInfo",
    ]
