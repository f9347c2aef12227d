"""What a service is handed to build itself with, and how what it built is served and ended."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection  # type: ignore[import-untyped]

from mesh.caller import Signer, Verifier
from mesh.channels import open_channel
from mesh.clock import Clock, Ids
from mesh.contract import find, is_public, kinds_of
from mesh.face import OPEN, UNKNOWN, Admission, Face, Handler
from mesh.settings import BaseSettings, SettingsError
from mesh.telemetry import Telemetry
from mesh.validation import envelope_check, whole_check

S = TypeVar("S", bound=BaseSettings)
Bind = Callable[[S, "Mesh"], Awaitable[None]]
"""A service's composition root: builds what it needs, in order, and says what it serves."""

_log = logging.getLogger(__name__)


class Mesh:
    """What a service's bind function is handed: the runtime, and where to register what it serves."""

    def __init__(
        self,
        name: str,
        settings: BaseSettings,
        *,
        clock: Clock,
        ids: Ids,
        telemetry: Telemetry,
        signer: Signer,
        verifier: Verifier,
        stack: AsyncExitStack,
    ) -> None:
        self.name = name
        """The service's name, such as `access-records`."""
        self.settings = settings
        """The settings that every service has."""
        self.clock = clock
        """The time."""
        self.ids = ids
        """Fresh ids."""
        self.telemetry = telemetry
        """Tracer and meter."""
        self.signer = signer
        """Asserts callers under this service's key."""
        self.stack = stack
        """Closes what the service opened, last first, after the last call has ended."""
        self.draining = asyncio.Event()
        """Set when the service begins to stop: endless streams end themselves then; calls get `drain_seconds`."""
        self.services: list[str] = []
        self.handlers: list[grpc.GenericRpcHandler] = []
        self.gates: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.failed = asyncio.Event()
        self.failure: BaseException | None = None
        self.verifier = verifier
        """Whom this service believes."""
        self._face = Face(telemetry, verifier, clock, ids)

    def serve(
        self,
        add_to_server: Callable[[Any, Any], None],
        servicer: Any,
        *,
        item_validated: frozenset[str] | set[str] = frozenset(),
    ) -> None:
        """Serves a servicer: `mesh.serve(add_XServiceServicer_to_server, XServicer(…))`.

        Of the methods whose paths stand in `item_validated`, only the envelope is checked against the proto; the
        servicer checks the items, one by one. ValueError when a path is none of the servicer's.
        """
        registration = _Registration()
        add_to_server(servicer, registration)
        unknown = set(item_validated)
        for service, methods in registration.services.items():
            wrapped = {}
            for name, handler in methods.items():
                path = f"/{service}/{name}"
                wrapped[name] = self._around(path, handler, path in item_validated)
                unknown.discard(path)
            self.services.append(service)
            self.handlers.append(grpc.method_handlers_generic_handler(service, wrapped))
        if unknown:
            raise ValueError(f"not served here: {sorted(unknown)}")

    def add_generic_handlers(self, *handlers: grpc.GenericRpcHandler) -> None:
        """Serves methods that are no part of the platform's contract, such as Envoy's ext_authz.

        They are open: no assertion is asked for, and nothing is validated.
        """
        self.handlers += [_OpenHandler(handler, self._face) for handler in handlers]

    def background(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs `work()` beside the server until it returns, or is cancelled after the last call.

        When it fails, the process logs it once, drains and exits with an error.
        """
        task = asyncio.create_task(work(), name=name)
        task.add_done_callback(self._ended)
        self.tasks.append(task)

    def channel(self, address: str) -> grpc.aio.Channel:
        """A channel to another service, as this service; closed with the stack. See `mesh.channels`."""
        channel = open_channel(
            address, signer=self.signer, clock=self.clock, max_receive_bytes=self.settings.max_receive_bytes
        )
        self.stack.push_async_callback(channel.close)
        return channel

    async def when_ready(self, event: asyncio.Event) -> None:
        """Holds health at NOT_SERVING until the event is set. Returns at once."""
        self.gates.append(event)

    def fallback(self) -> grpc.GenericRpcHandler:
        """Answers calls to methods that nobody serves."""
        return _NoSuchMethod(self._face)

    def _around(self, path: str, handler: Handler, by_item: bool) -> Handler:
        method = find(path)
        if method is None:
            return self._face.around(path, handler, Admission(frozenset()), None)
        check = envelope_check(method.input_type) if by_item else whole_check(method.input_type)
        return self._face.around(path, handler, Admission(kinds_of(method), public=is_public(method)), check)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        self.failure = self.failure or task.exception()
        _log.error("background failed", exc_info=task.exception(), extra={"task": task.get_name()})
        self.failed.set()


class Hosted:
    """A service that is being served."""

    def __init__(self, mesh: Mesh, address: str, shown: health.aio.HealthServicer) -> None:
        self.mesh = mesh
        self.address = address
        """Where it serves, host:port."""
        self._health = shown

    async def become_ready(self) -> None:
        """Waits for the service's gates, then says SERVING."""
        for gate in self.mesh.gates:
            await gate.wait()
        await self.show(health_pb2.HealthCheckResponse.SERVING)

    async def say_not_serving(self) -> None:
        """Says NOT_SERVING, for good; calls are still taken."""
        await self._health.enter_graceful_shutdown()

    async def show(self, status: int) -> None:
        """Says this of the whole and of every service it holds."""
        for service in ["", *self.mesh.services]:
            await self._health.set(service, status)


@contextlib.asynccontextmanager
async def hosted(
    name: str,
    settings: S,
    bind: Bind[S],
    *,
    clock: Clock,
    ids: Ids,
    telemetry: Telemetry,
    signer: Signer,
    verifier: Verifier,
) -> AsyncIterator[Hosted]:
    """Binds a service and serves it.

    At the end: running calls get `drain_seconds`, then background tasks are cancelled, then what the service opened is
    closed, last first.
    """
    async with AsyncExitStack() as stack:
        mesh = Mesh(
            name, settings, clock=clock, ids=ids, telemetry=telemetry, signer=signer, verifier=verifier, stack=stack
        )
        try:
            await bind(settings, mesh)
            server = grpc.aio.server(
                options=[
                    ("grpc.max_receive_message_length", settings.max_receive_bytes),
                    ("grpc.keepalive_time_ms", 60_000),
                    ("grpc.keepalive_timeout_ms", 10_000),
                    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                    ("grpc.keepalive_permit_without_calls", 1),
                    ("grpc.so_reuseport", 0),
                ],
                maximum_concurrent_rpcs=settings.max_concurrent_calls,
            )
            shown = health.aio.HealthServicer()
            health_pb2_grpc.add_HealthServicer_to_server(shown, server)
            reflection.enable_server_reflection([*mesh.services, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
            server.add_generic_rpc_handlers([*mesh.handlers, mesh.fallback()])
            host = settings.listen.rpartition(":")[0]
            port = _listen(server, settings.listen)
            service = Hosted(mesh, f"{host}:{port}", shown)
            await service.show(health_pb2.HealthCheckResponse.NOT_SERVING)
            await server.start()
            try:
                yield service
            finally:
                mesh.draining.set()
                await service.say_not_serving()
                await server.stop(settings.drain_seconds)
        finally:
            for task in mesh.tasks:
                task.cancel()
            await asyncio.gather(*mesh.tasks, return_exceptions=True)


def _listen(server: grpc.aio.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        raise SettingsError(f"cannot listen on {address}") from None


@dataclasses.dataclass
class _Registration:
    """Stands in for a server while a servicer registers itself, so that its methods can be wrapped first."""

    services: dict[str, Mapping[str, Handler]] = dataclasses.field(default_factory=dict)

    def add_generic_rpc_handlers(self, _: object) -> None:
        """The same methods come by the other door, with their names."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Takes a service's methods."""
        self.services[service] = handlers


class _OpenHandler(grpc.GenericRpcHandler):
    """Somebody's own methods, inside telemetry and the error boundary."""

    def __init__(self, inner: grpc.GenericRpcHandler, face: Face) -> None:
        self._inner = inner
        self._face = face
        self._wrapped: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        path = handler_call_details.method
        if path not in self._wrapped:
            handler = self._inner.service(handler_call_details)
            if handler is None:
                return None
            self._wrapped[path] = self._face.around(path, handler, OPEN, None)
        return self._wrapped[path]


class _NoSuchMethod(grpc.GenericRpcHandler):
    """Refuses any method."""

    def __init__(self, face: Face) -> None:
        handler: Handler = grpc.stream_stream_rpc_method_handler(_nothing)
        self._handler = face.around("/unknown", handler, UNKNOWN, None)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        return self._handler


async def _nothing(_: object, context: object) -> AsyncIterator[bytes]:
    return
    yield b""
