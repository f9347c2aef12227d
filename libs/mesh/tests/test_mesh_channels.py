"""Outgoing calls: always a deadline, who calls and for which call; retried only where that changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from mesh import channels
from mesh.call import running_call
from mesh.caller import HEADER, Caller, CallerKind
from mesh.channels import open_channel
from mesh.clock import SystemClock
from mesh.contract import is_idempotent, methods, path_of
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import Running, running, signer
from parkmesh.registry.v1 import rule_service_pb2, rule_service_pb2_grpc

KINDS = ("One", "Many", "Collect", "Talk")


async def remaining(request: Any, context: Any) -> str:
    """Answers how long the caller will wait."""
    left = context.time_remaining()
    return "for ever" if left is None else str(left)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_call_has_a_deadline(kind: str, echo: Any) -> None:
    longest = channels.STREAM_DEADLINE_S if kind in ("Many", "Talk") else channels.UNARY_DEADLINE_S
    async with running(echo.bind(remaining), BaseSettings()) as service:
        channel = service.channel(echo.vendor)
        (given,) = await echo.call(channel, kind, echo.request())
        (asked,) = await echo.call(channel, kind, echo.request(), timeout=99)
    # gRPC rounds a deadline up to what its header can hold.
    assert longest / 2 < float(given) < longest * 1.1
    assert 50 < float(asked) < 110


@pytest.mark.parametrize("kind", KINDS)
async def test_deadline_ends_a_call_that_is_not_answered(kind: str, echo: Any) -> None:
    async def respond(request: Any, context: Any) -> str:
        await asyncio.sleep(60)
        return ""

    async with running(echo.bind(respond), BaseSettings()) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), kind, echo.request(), timeout=0.05)
    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_call_within_a_call_carries_its_ids_and_never_outlives_it(echo: Any) -> None:
    async def inner(request: Any, context: Any) -> str:
        call = running_call.get()
        assert call
        assert call.caller
        traces = [value for name, value in context.invocation_metadata() if name == "traceparent"]
        return json.dumps([call.request_id, traces[0].split("-")[1], call.caller.subject, context.time_remaining()])

    async with running(echo.bind(inner), BaseSettings(), name="registry") as behind:

        async def bind(settings: BaseSettings, mesh: Mesh) -> None:
            channel = mesh.channel(behind.address)

            async def outer(request: Any, context: Any) -> str:
                (text,) = await echo.call(channel, "Internal", request)
                return str(text)

            await echo.bind(outer)(settings, mesh)

        async with running(bind, BaseSettings(), name="occupancy") as service:
            trace = "0af7651916cd43dd8448eb211c80319c"
            (text,) = await echo.call(
                service.channel(echo.vendor),
                "One",
                echo.request(),
                timeout=2,
                metadata=[("x-request-id", "edge-id-1"), ("traceparent", f"00-{trace}-b7ad6b7169203331-01")],
            )
    request_id, traced, subject, left = json.loads(text)
    assert (request_id, traced, subject) == ("edge-id-1", trace, "occupancy")
    assert 0 < left < 2.2


class Flaky(rule_service_pb2_grpc.RuleServiceServicer):
    """Unavailable the first two times."""

    def __init__(self) -> None:
        self.calls = 0

    async def ListRules(self, request: Any, context: Any) -> rule_service_pb2.ListRulesResponse:
        self.calls += 1
        if self.calls <= 2:
            await context.abort(grpc.StatusCode.UNAVAILABLE)
        return rule_service_pb2.ListRulesResponse()

    CreateRule = EndRule = ListRules  # type: ignore[assignment]


@pytest.fixture
async def flaky() -> AsyncIterator[tuple[Flaky, Running]]:
    servicer = Flaky()

    async def bind(_: BaseSettings, mesh: Mesh) -> None:
        mesh.serve(rule_service_pb2_grpc.add_RuleServiceServicer_to_server, servicer)

    async with running(bind, BaseSettings()) as service:
        yield servicer, service


@pytest.mark.slow
async def test_idempotent_call_is_retried_and_no_other(flaky: tuple[Flaky, Running]) -> None:
    servicer, service = flaky
    stub = rule_service_pb2_grpc.RuleServiceStub(service.channel(Caller(CallerKind.ADMINISTRATOR, "chen", "client-2")))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.EndRule(rule_service_pb2.EndRuleRequest(rule_id="rule-1"))
    assert (caught.value.code(), servicer.calls) == (grpc.StatusCode.UNAVAILABLE, 1)
    servicer.calls = 0
    await stub.ListRules(rule_service_pb2.ListRulesRequest())
    assert servicer.calls == 3


def test_what_is_idempotent() -> None:
    found = {path_of(method).split("/")[-1] for method in methods() if is_idempotent(method)}
    assert {"GetLot", "ListLots", "GetRecord", "ListRecords"} <= found
    assert not found & {"CreateLot", "UploadRecords", "RotateCredential", "IssueToken"}


async def test_channel_is_a_channel(echo: Any) -> None:
    async with running(echo.bind(remaining), BaseSettings()) as service:
        async with open_channel(service.address, signer=signer("occupancy"), clock=SystemClock()) as channel:
            assert channel.get_state() is grpc.ChannelConnectivity.IDLE
            state = channel.get_state(try_to_connect=True)
            await channel.wait_for_state_change(state)
            await channel.channel_ready()
            assert await echo.call(channel, "Internal", echo.request())
        assert HEADER == "x-parkmesh-caller"
