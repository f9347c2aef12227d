"""Headers that are good HTTP and no gRPC: they never reach a service, which would fail on them."""

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
READABLE = [("x.y", "1"), ("x", "闽"), ("te", "x"), ("grpc-accept-encoding", "bogus"), ("user-agent", "闽")]


@pytest.mark.parametrize(("name", "value"), UNREADABLE + READABLE)
async def test_a_strange_header_harms_nobody(edge: Any, name: str, value: str) -> None:
    status, _, _ = await edge.call("GET", "/v1/lots", **{name: value})
    assert status == 200
    assert name not in edge.seen.metadata or (name, value) in READABLE
