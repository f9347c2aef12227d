"""A small service with a method of every kind, served by the real mesh."""

import dataclasses
import io
import json
import logging
import pathlib
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import grpc_tools  # type: ignore[import-untyped]
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status  # type: ignore[import-untyped]
from mesh.caller import Caller, CallerKind
from mesh.hosting import Bind, Mesh
from mesh.logs import JsonFormatter
from mesh.settings import BaseSettings

HERE = pathlib.Path(__file__).parent
PROTOS = HERE.parents[2] / "protos"
SERVICE = "meshtest.v1.EchoService"
SPEAKERS = ("room", "mesh", "grpc", "asyncio", "py", "root")
"""Whose lines are the service's: its own, and those of what it stands on."""
Respond = Callable[[Any, Any], Awaitable[str]]


@dataclasses.dataclass(frozen=True)
class Echo:
    """The service: its messages, how to bind it, how to call it."""

    request: Any
    response: Any
    item: Any
    range: Any
    vendor: Caller

    def bind(self, respond: Respond, item_validated: frozenset[str] = frozenset()) -> Bind[BaseSettings]:
        """Binds the service; every message that comes in is answered with what `respond` makes of it."""

        async def bind(_: BaseSettings, mesh: Mesh) -> None:
            mesh.serve(self._add, respond, item_validated=item_validated)

        return bind

    async def call(self, channel: grpc.aio.Channel, method: str, request: Any, **options: Any) -> list[str]:
        """Calls a method with one message (bytes are sent as they are); the texts of its answers."""
        path = method if method.startswith("/") else f"/{SERVICE}/{method}"
        coding = {"request_serializer": serialized, "response_deserializer": self.response.FromString}
        if method == "Many":
            return [answer.text_value async for answer in channel.unary_stream(path, **coding)(request, **options)]
        if method == "Collect":
            return [(await channel.stream_unary(path, **coding)(once(request), **options)).text_value]
        if method == "Talk":
            answers = channel.stream_stream(path, **coding)(once(request), **options)
            return [answer.text_value async for answer in answers]
        return [(await channel.unary_unary(path, **coding)(request, **options)).text_value]

    async def refusal(self, channel: grpc.aio.Channel, method: str, request: Any, **options: Any) -> "Refusal":
        """Calls a method that must refuse."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.call(channel, method, request, **options)
        return Refusal(caught.value)

    def _add(self, respond: Respond, server: Any) -> None:
        async def one(request: Any, context: Any) -> Any:
            return self.response(text_value=await respond(request, context))

        async def many(request: Any, context: Any) -> AsyncIterator[Any]:
            yield self.response(text_value=await respond(request, context))

        async def collect(requests: AsyncIterator[Any], context: Any) -> Any:
            texts = [await respond(request, context) async for request in requests]
            return self.response(text_value="".join(texts))

        async def talk(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
            async for request in requests:
                yield self.response(text_value=await respond(request, context))

        coding = (self.request.FromString, self.response.SerializeToString)
        unary = grpc.unary_unary_rpc_method_handler(one, *coding)
        handlers = {
            **dict.fromkeys(("One", "Open", "Internal", "Nobody", "Unlisted"), unary),
            "Many": grpc.unary_stream_rpc_method_handler(many, *coding),
            "Collect": grpc.stream_unary_rpc_method_handler(collect, *coding),
            "Talk": grpc.stream_stream_rpc_method_handler(talk, *coding),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        server.add_registered_method_handlers(SERVICE, handlers)


class Refusal:
    """What a refused caller was told."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.message = error.details()
        self.status = rpc_status.from_call(error)
        self.text = f"{error!r} {self.status} {error.trailing_metadata()}"
        """Everything that came over the wire."""

    def detail(self, kind: Any) -> Any:
        """The detail of this type; None without it."""
        found = kind()
        return next((found for detail in (self.status.details if self.status else ()) if detail.Unpack(found)), None)


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    """The service, its descriptors compiled from echo.proto."""
    image = tmp_path_factory.mktemp("echo") / "echo.binpb"
    assert grpc_tools.__file__
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={PROTOS / 'build' / 'validate.binpb'}"),
        *(f"-I{HERE}", f"-I{PROTOS}", f"-I{pathlib.Path(grpc_tools.__file__).parent / '_proto'}"),
        *(f"--descriptor_set_out={image}", "echo.proto"),
    ]
    subprocess.run(command, check=True)
    pool = descriptor_pool.Default()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    names = ("EchoRequest", "EchoResponse", "EchoItem", "EchoRange")
    request, response, item, between = (
        GetMessageClass(pool.FindMessageTypeByName(f"meshtest.v1.{name}")) for name in names
    )
    return Echo(request, response, item, between, Caller(CallerKind.VENDOR, "vendor-1", "client-1"))


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Everything that the service and what it stands on log, as parsed JSON lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("echo"))
    # Other rooms of the same test run may still be at work in the background: what they log is not ours.
    handler.addFilter(lambda record: record.name.partition(".")[0] in SPEAKERS)
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)


def serialized(request: Message | bytes) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


async def once(request: Any) -> AsyncIterator[Any]:
    yield request
