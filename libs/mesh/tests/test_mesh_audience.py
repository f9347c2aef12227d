"""Every method of the platform has an audience, and nobody else gets in."""

import pathlib
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2 as details  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.caller import HEADER, Caller, CallerKind, current, current_or_none, generate_key_pair
from mesh.contract import is_public, kinds_of, methods, path_of
from mesh.hosting import Mesh
from mesh.settings import BaseSettings
from mesh.testing import ManualClock, running, signer

IMAGE = pathlib.Path(__file__).parents[3] / "protos" / "build" / "descriptors.binpb"
CALLERS = {
    CallerKind.VENDOR: Caller(CallerKind.VENDOR, "vendor-1", "client-1"),
    CallerKind.ADMINISTRATOR: Caller(CallerKind.ADMINISTRATOR, "chen", "client-2"),
    CallerKind.SERVICE: Caller(CallerKind.SERVICE, "occupancy"),
}


def test_every_method_has_an_audience() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(IMAGE.read_bytes()).file
    described = {
        f"/{file.package}.{service.name}/{method.name}"
        for file in files
        for service in file.service
        for method in service.method
        if file.package.startswith("parkmesh.")
    }
    assert {path_of(method) for method in methods()} == described
    assert [path_of(method) for method in methods() if not is_public(method) and not kinds_of(method)] == []


async def bind_everything(_: BaseSettings, mesh: Mesh) -> None:
    """Every method of every service, answered with an empty message."""
    for service in {method.containing_service for method in methods()}:

        def add(servicer: object, server: Any, service: Any = service) -> None:
            handlers = {method.name: empty_handler(method) for method in service.methods}
            server.add_registered_method_handlers(service.full_name, handlers)

        mesh.serve(add, object())


def empty_handler(method: MethodDescriptor) -> Any:
    answer = GetMessageClass(method.output_type)()

    async def one(request: Any, context: Any) -> Any:
        return answer

    async def many(request: Any, context: Any) -> Any:
        yield answer

    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make: Any = makers[method.client_streaming, method.server_streaming]
    parse = GetMessageClass(method.input_type).FromString
    return make(many if method.server_streaming else one, parse, type(answer).SerializeToString)


async def reason_given(channel: grpc.aio.Channel, path: str, echo: Any) -> str:
    """Why an empty call to the path is refused; empty when it is not. Every kind of method answers a unary call."""
    try:
        await echo.call(channel, path, b"", timeout=10)
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        info = details.ErrorInfo()
        if status:
            status.details[0].Unpack(info)
        return str(info.reason) or repr(error)
    return ""


async def test_only_the_audience_gets_in(echo: Any) -> None:
    async with running(bind_everything, BaseSettings()) as service:
        channels = {kind: service.channel(caller) for kind, caller in CALLERS.items()}
        nobody = service.channel()
        for method in methods():
            path = path_of(method)
            expected = {"", "INVALID_FIELD"} if is_public(method) else {"CALLER_NOT_ASSERTED"}
            assert await reason_given(nobody, path, echo) in expected, path
            for kind, channel in channels.items():
                reason = await reason_given(channel, path, echo)
                if is_public(method) or kind in kinds_of(method):
                    assert reason in {"", "INVALID_FIELD"}, (path, kind)
                else:
                    assert reason == "METHOD_NOT_ALLOWED", (path, kind)


async def respond(request: Any, context: Any) -> str:
    caller = current_or_none()
    return f"{caller.kind.name} {caller.subject} {caller.credential}" if caller else "nobody"


async def test_servicer_knows_who_calls(echo: Any) -> None:
    async with running(echo.bind(respond), BaseSettings()) as service:
        for kind in ("One", "Many", "Collect", "Talk"):
            assert await echo.call(service.channel(echo.vendor), kind, echo.request()) == ["VENDOR vendor-1 client-1"]
        assert await echo.call(service.channel(), "Open", echo.request()) == ["nobody"]
        assert await echo.call(service.channel(echo.vendor), "Open", echo.request()) == ["VENDOR vendor-1 client-1"]
        inside = service.channel(CALLERS[CallerKind.SERVICE])
        assert await echo.call(inside, "Internal", echo.request()) == ["SERVICE occupancy "]


@pytest.mark.parametrize("method", ["Nobody", "Unlisted"])
async def test_method_without_an_audience_is_refused_to_everybody(method: str, echo: Any) -> None:
    async with running(echo.bind(respond), BaseSettings()) as service:
        for caller in CALLERS.values():
            refusal = await echo.refusal(service.channel(caller), method, echo.request())
            assert refusal.detail(details.ErrorInfo).reason == "METHOD_NOT_ALLOWED"
        assert (await echo.refusal(service.channel(), method, echo.request())).code is grpc.StatusCode.UNAUTHENTICATED


async def test_bad_assertions_are_refused_even_where_none_is_needed(echo: Any) -> None:
    clock = ManualClock()
    good = signer("risk-control").assertion(echo.vendor, clock.now_ms())
    stranger = type(signer("x"))("risk-control", generate_key_pair()[0]).assertion(echo.vendor, clock.now_ms())
    async with running(echo.bind(respond), BaseSettings(), clock=clock) as service:
        for method in ("One", "Open"):
            for sent in ([stranger], ["junk"], [""], [good, good], [good, stranger]):
                refusal = await echo.refusal(
                    service.channel(), method, echo.request(), metadata=[(HEADER, value) for value in sent]
                )
                assert refusal.detail(details.ErrorInfo).reason == "CALLER_NOT_ASSERTED"
        assert await echo.call(service.channel(), "One", echo.request(), metadata=[(HEADER, good)])
        clock.advance(60_000)
        assert await echo.refusal(service.channel(), "One", echo.request(), metadata=[(HEADER, good)])
        service.mesh.verifier.trust({})
        assert await echo.refusal(service.channel(echo.vendor), "One", echo.request())


async def test_one_call_does_not_inherit_anothers_caller(echo: Any) -> None:
    async with running(echo.bind(respond), BaseSettings()) as service:
        channel = service.channel(echo.vendor)
        await echo.call(channel, "One", echo.request())
        assert await echo.call(service.channel(), "Open", echo.request()) == ["nobody"]
        with pytest.raises(LookupError):
            current()
