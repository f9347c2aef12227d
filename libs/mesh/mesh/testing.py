"""A real server in the test's own process: real gRPC, the real rings, throw-away keys, a clock that the test moves."""

import asyncio
import functools
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import grpc

from mesh.caller import EDGE_ISSUER, Caller, CallerKind, Signer, Verifier, generate_key_pair
from mesh.channels import open_channel
from mesh.clock import Clock, Ids, RandomIds, SystemClock
from mesh.hosting import Bind, Hosted, Mesh, hosted
from mesh.settings import BaseSettings
from mesh.telemetry import Telemetry

S = TypeVar("S", bound=BaseSettings)

YEAR_2100_MS = 4_102_444_800_000
"""2100-01-01 UTC: far from every real deadline and retention."""

# All services of a test process share one throw-away key, so that they believe each other without being introduced.
_ISSUERS = (
    EDGE_ISSUER,
    "registry",
    "access-records",
    "occupancy",
    "payments",
    "media",
    "notices",
    "guidance",
)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start_ms: int = YEAR_2100_MS) -> None:
        self._ms = start_ms
        self._monotonic_ms = 0

    def now_ms(self) -> int:
        """See `Clock`."""
        return self._ms

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._monotonic_ms / 1000

    def advance(self, ms: int) -> None:
        """Moves both clocks on."""
        self._ms += ms
        self._monotonic_ms += ms


class SequentialIds:
    """Ids that count: `lot-1`, `lot-2`, and each prefix by itself."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """See `Ids`."""
        self._given[prefix] = self._given.get(prefix, 0) + 1
        return f"{prefix}-{self._given[prefix]}"


@functools.cache
def throwaway_keys() -> tuple[str, str]:
    """The key pair of this test process: (private PEM, public PEM)."""
    return generate_key_pair()


def signer(issuer: str) -> Signer:
    """A signer that the services of this test process believe."""
    return Signer(issuer, throwaway_keys()[0])


class Running:
    """A service that runs in this process."""

    def __init__(self, mesh: Mesh, address: str, clock: Clock, stack: AsyncExitStack) -> None:
        self.mesh = mesh
        """What its bind was handed."""
        self.address = address
        """Where it serves, host:port."""
        self._clock = clock
        self._stack = stack

    def channel(self, caller: Caller | None = None) -> grpc.aio.Channel:
        """A channel to it that asserts the caller; None asserts nobody. Vendors and administrators are asserted as the
        edge does, services by themselves. Closed with the service.
        """
        issuer = EDGE_ISSUER
        if caller and caller.kind is CallerKind.SERVICE:
            issuer = caller.subject
        channel = open_channel(
            self.address, signer=signer(issuer) if caller else None, clock=self._clock, caller=caller
        )
        self._stack.push_async_callback(channel.close)
        return channel


@asynccontextmanager
async def running(
    bind: Bind[S],
    settings: S,
    *,
    name: str = "registry",
    clock: Clock | None = None,
    ids: Ids | None = None,
    telemetry: Telemetry | None = None,
    issuers: Iterable[str] = _ISSUERS,
) -> AsyncIterator[Running]:
    """Runs a service in this process, ready to be called.

    When one of its background tasks failed, its exception is raised: at once while it is not ready yet, else at the
    end. Without a clock, the machine's.
    """
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry(name, 0.0, [], [])
    serving = hosted(
        name,
        settings,
        bind,
        clock=clock,
        ids=ids or RandomIds(),
        telemetry=telemetry,
        signer=signer(name),
        verifier=Verifier(dict.fromkeys([*issuers, name], throwaway_keys()[1])),
    )
    async with serving as service:
        await _ready_or_failed(service)
        async with AsyncExitStack() as stack:
            yield Running(service.mesh, service.address, clock, stack)
    telemetry.close()
    if service.mesh.failure:
        raise service.mesh.failure


async def _ready_or_failed(service: Hosted) -> None:
    waits = [asyncio.create_task(service.become_ready()), asyncio.create_task(service.mesh.failed.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    if service.mesh.failure:
        raise service.mesh.failure
