"""How the platform sees that a process is ready: each probe asks the question that the process's callers will ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from local_platform.process import Probe

TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True)
class TcpProbe:
    """Ready when it accepts a connection."""

    host: str
    port: int

    async def answers(self) -> bool:
        """True when the connection opens."""
        try:
            async with _connection(self.host, self.port):
                return True
        except (OSError, TimeoutError):
            return False


@dataclass(frozen=True)
class HttpProbe:
    """Ready when a plain HTTP GET of the path answers 200."""

    host: str
    port: int
    path: str

    async def answers(self) -> bool:
        """True when the status is 200."""
        try:
            async with _connection(self.host, self.port) as (reader, writer):
                # Envoy refuses HTTP/1.0, which would close the connection by itself.
                request = f"GET {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                status = (await reader.readline()).split()
                await reader.read()
                return status[1:2] == [b"200"]
        except (OSError, TimeoutError):
            return False


@dataclass(frozen=True)
class RedisProbe:
    """Ready when the server answers PING, its data loaded."""

    url: str = field(repr=False)

    async def answers(self) -> bool:
        """True when the answer is PONG."""
        parts = urlsplit(self.url)
        login = f"AUTH {parts.password}\r\n" if parts.password else ""
        try:
            async with _connection(parts.hostname or "127.0.0.1", parts.port or 6379) as (reader, writer):
                writer.write(f"{login}PING\r\n".encode())
                answers = [await reader.readline() for _ in range(2 if login else 1)]
                return answers[-1] == b"+PONG\r\n"
        except (OSError, TimeoutError):
            return False


@dataclass(frozen=True)
class GrpcProbe:
    """Ready when the server's health service answers SERVING."""

    address: str

    async def answers(self) -> bool:
        """True when the status is SERVING."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_SECONDS)
            except grpc.aio.AioRpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


class AllOf:
    """Ready when all of several probes are."""

    def __init__(self, *probes: Probe) -> None:
        self.probes = probes

    async def answers(self) -> bool:
        """True when every probe answers; the first that does not is the last one asked."""
        for probe in self.probes:
            if not await probe.answers():
                return False
        return True


@contextlib.asynccontextmanager
async def _connection(host: str, port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
