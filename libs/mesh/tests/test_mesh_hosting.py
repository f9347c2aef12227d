"""How a service comes up and goes down: ready when its gates are passed, drained before it is unwound."""

import asyncio
import dataclasses
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc  # type: ignore[import-untyped]
from mesh.caller import Verifier
from mesh.clock import RandomIds, SystemClock
from mesh.hosting import Bind, Hosted, Mesh, hosted
from mesh.settings import BaseSettings, SettingsError
from mesh.telemetry import Telemetry
from mesh.testing import running, signer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
ECHO = "meshtest.v1.EchoService"


async def respond(request: Any, context: Any) -> str:
    return str(request.text_value)


def serving(bind: Bind[BaseSettings], settings: BaseSettings | None = None) -> Any:
    return hosted(
        "registry",
        settings or BaseSettings(),
        bind,
        clock=SystemClock(),
        ids=RandomIds(),
        telemetry=Telemetry("registry", 0.0, [], []),
        signer=signer("registry"),
        verifier=Verifier({}),
    )


async def health_of(service: Hosted, name: str = "") -> int:
    async with grpc.aio.insecure_channel(service.address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=name))
        return int(answer.status)


async def test_ready_when_every_gate_is_passed(echo: Any) -> None:
    gates = [asyncio.Event(), asyncio.Event()]

    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        await echo.bind(respond)(settings, mesh)
        for gate in gates:
            await mesh.when_ready(gate)

    async with serving(bind) as service:
        ready = asyncio.create_task(service.become_ready())
        for gate in gates:
            assert (await health_of(service), await health_of(service, ECHO)) == (NOT_SERVING, NOT_SERVING)
            gate.set()
        await ready
        assert (await health_of(service), await health_of(service, ECHO)) == (SERVING, SERVING)
        await service.say_not_serving()
        assert (await health_of(service), await health_of(service, ECHO)) == (NOT_SERVING, NOT_SERVING)


async def test_health_and_reflection_are_open(echo: Any) -> None:
    async with running(echo.bind(respond), BaseSettings()) as service:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = reflection_pb2_grpc.ServerReflectionStub(service.channel()).ServerReflectionInfo(iter([request]))
        names = [service.name async for answer in answers for service in answer.list_services_response.service]
    assert ECHO in names


async def test_going_down_calls_end_first_then_background_then_the_stack(echo: Any) -> None:
    happened: list[str] = []
    begun = asyncio.Event()

    async def slow(request: Any, context: Any) -> str:
        begun.set()
        await asyncio.sleep(0.2)
        happened.append("call ended")
        return "whole"

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("background ended")

    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        mesh.stack.callback(happened.append, "opened first")
        mesh.stack.callback(happened.append, "opened last")
        mesh.background("work", work)
        await echo.bind(slow)(settings, mesh)

    async with running(bind, BaseSettings()) as service:
        mesh = service.mesh
        channel = grpc.aio.insecure_channel(service.address)
        sent = [("x-parkmesh-caller", signer("risk-control").assertion(echo.vendor, mesh.clock.now_ms()))]
        call = asyncio.create_task(echo.call(channel, "One", echo.request(), metadata=sent))
        await begun.wait()
        assert not mesh.draining.is_set()
    assert mesh.draining.is_set()
    assert await call == ["whole"]
    await channel.close()
    assert happened == ["call ended", "background ended", "opened last", "opened first"]


async def test_failed_background_is_told_once(echo: Any, lines: Any) -> None:
    async def work() -> None:
        raise ValueError("canary")

    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        mesh.background("work", work)

    with pytest.raises(ValueError, match="canary"):
        async with running(bind, BaseSettings()) as service:
            await service.mesh.failed.wait()
    (line,) = lines()
    assert (line["event"], line["task"]) == ("background failed", "work")
    assert "canary" not in str(line)


async def test_failed_bind_unwinds_what_it_opened(echo: Any) -> None:
    happened: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            happened.append("background ended")

    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        mesh.stack.callback(happened.append, "closed")
        mesh.background("work", work)
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        async with running(bind, BaseSettings()):
            pass
    assert happened == ["background ended", "closed"]


async def test_taken_port_is_a_settings_error(echo: Any) -> None:
    async with running(echo.bind(respond), BaseSettings()) as service:
        with pytest.raises(SettingsError, match="cannot listen"):
            async with running(echo.bind(respond), BaseSettings(listen=service.address)):
                pass


async def test_limits_are_settings(echo: Any) -> None:
    settings = dataclasses.replace(BaseSettings(), max_receive_bytes=1000)
    async with running(echo.bind(respond), settings) as service:
        refusal = await echo.refusal(service.channel(echo.vendor), "One", b"\x0a" + b"\xe8\x07" + b"x" * 1000)
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    hold = asyncio.Event()
    begun = asyncio.Event()

    async def held(request: Any, context: Any) -> str:
        begun.set()
        await hold.wait()
        return ""

    async with running(echo.bind(held), BaseSettings(max_concurrent_calls=1)) as service:
        channel = service.channel(echo.vendor)
        first = asyncio.create_task(echo.call(channel, "One", echo.request()))
        await begun.wait()
        assert (await echo.refusal(channel, "One", echo.request())).code is grpc.StatusCode.RESOURCE_EXHAUSTED
        hold.set()
        assert await first == [""]


async def test_generic_handlers_are_open_but_inside_the_boundary(echo: Any, lines: Any) -> None:
    async def check(request: bytes, context: Any) -> bytes:
        if request == b"fail":
            raise ValueError("canary")
        return echo.response(text_value=request.decode()).SerializeToString()  # type: ignore[no-any-return]

    async def bind(settings: BaseSettings, mesh: Mesh) -> None:
        handler: Any = grpc.unary_unary_rpc_method_handler(check)
        mesh.add_generic_handlers(grpc.method_handlers_generic_handler("other.v3.Authorization", {"Check": handler}))

    async with running(bind, BaseSettings()) as service:
        channel = service.channel()
        assert await echo.call(channel, "/other.v3.Authorization/Check", b"hello") == ["hello"]
        refusal = await echo.refusal(channel, "/other.v3.Authorization/Check", b"fail")
        assert refusal.detail(details.ErrorInfo).reason == "INTERNAL"
        assert "canary" not in refusal.text + str(lines())
        other = await echo.refusal(channel, "/other.v3.Authorization/Nothing", b"")
        assert other.detail(details.ErrorInfo).reason == "CALLER_NOT_ASSERTED"
