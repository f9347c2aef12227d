"""Headers: a service gets those that it reads, and never one on which its gRPC would fail."""

from typing import Any

import pytest

UNREADABLE = [
    ("x~", "1"),
    ("x!y", "1"),
    ("x-bin", "!!!"),
    ("grpc-trace-bin", "!!"),
    ("grpc-encoding", "bogus"),
    ("grpc-timeout", "bogus"),
    ("grpc-timeout", "1n"),
    ("grpc-previous-rpc-attempts", "x"),
]
STRANGE = [("x.y", "1"), ("x", "闽"), ("cookie", "a=b"), ("x-large", "x" * 20_000), ("x-forwarded-for", "1" * 9000)]
SERVED = {"x-parkmesh-caller", "x-request-id", "traceparent", "user-agent", "x-forwarded-proto"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("name", "value"), UNREADABLE + STRANGE)
async def test_a_strange_header_harms_nobody(edge: Any, name: str, value: str) -> None:
    status, _, _ = await edge.call("GET", "/v1/lots", **{name: value})
    assert status == 200
    assert name not in edge.seen.metadata


async def test_a_service_gets_what_it_reads_and_nothing_else(edge: Any) -> None:
    await edge.call("GET", "/v1/lots?pageSize=1", traceparent=TRACE, baggage="a=b", x_other="1")
    assert set(edge.seen.metadata) <= SERVED
    assert edge.seen.metadata["traceparent"] == TRACE
    assert edge.seen.request.page_size == 1


async def test_a_long_query_is_no_long_header(edge: Any) -> None:
    assert (await edge.call("GET", f"/v1/lots?pageToken={'%E9%97%BD' * 2048}"))[0] == 200
