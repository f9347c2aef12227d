"""Channels to other services: every call has a deadline, carries who calls and the running call's ids, and is retried
only where that changes nothing.
"""

import json
from collections.abc import Callable
from typing import Any

import grpc

from mesh.call import running_call
from mesh.caller import HEADER, Caller, Signer
from mesh.clock import Clock
from mesh.contract import is_idempotent, methods
from mesh.face import REQUEST_ID_HEADER, TRACE_HEADER
from mesh.telemetry import outgoing_trace

UNARY_DEADLINE_S = 5.0
STREAM_DEADLINE_S = 3600.0
"""A stream of answers may be long, but not endless: its reader begins anew."""

_OPTIONS = [
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]
_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def open_channel(
    address: str,
    *,
    signer: Signer | None = None,
    clock: Clock,
    caller: Caller | None = None,
    max_receive_bytes: int = 4 * 1024 * 1024,
) -> grpc.aio.Channel:
    """A channel to a service inside the platform. Asserts `caller`, by default the signer itself.

    Without a signer it asserts nobody. A call without a `timeout` gets UNARY_DEADLINE_S, or STREAM_DEADLINE_S when it
    is answered by a stream; within a running call, never more time than that call has left.
    """
    options = [
        *_OPTIONS,
        # Connections of its own: a shared one would fail this channel's first calls with the back-off of another's.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", max_receive_bytes),
        ("grpc.service_config", json.dumps({"methodConfig": [{"name": _idempotent(), "retryPolicy": _RETRY}]})),
    ]
    asserted = None
    if signer is not None:
        asserted = (signer, caller or signer.own())
    return _Channel(grpc.aio.insecure_channel(address, options), clock, asserted)


def _idempotent() -> list[dict[str, str]]:
    return [
        {"service": method.containing_service.full_name, "method": method.name}
        for method in methods()
        if is_idempotent(method)
    ]


class _Channel(grpc.aio.Channel):
    """A channel whose calls have deadlines and metadata; thinner than interceptors, which cost two tasks per call."""

    def __init__(self, inner: grpc.aio.Channel, clock: Clock, asserted: tuple[Signer, Caller] | None) -> None:
        self._inner = inner
        self._clock = clock
        self._asserted = asserted

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        return self._with(self._inner.unary_unary(*args, **options), UNARY_DEADLINE_S)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        return self._with(self._inner.stream_unary(*args, **options), UNARY_DEADLINE_S)

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        return self._with(self._inner.unary_stream(*args, **options), STREAM_DEADLINE_S)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        return self._with(self._inner.stream_stream(*args, **options), STREAM_DEADLINE_S)

    def _with(self, method: Callable[..., Any], longest: float) -> Callable[..., Any]:
        def call(request: Any = None, *, timeout: float | None = None, metadata: Any = (), **options: Any) -> Any:
            sent = [*(metadata or ()), *self._metadata()]
            return method(request, timeout=_deadline(timeout, longest), metadata=sent, **options)

        return call

    def _metadata(self) -> list[tuple[str, str]]:
        sent = []
        if self._asserted:
            signer, caller = self._asserted
            sent.append((HEADER, signer.assertion(caller, self._clock.now_ms())))
        if outer := running_call.get():
            sent.append((REQUEST_ID_HEADER, outer.request_id))
        if trace := outgoing_trace():
            sent.append((TRACE_HEADER, trace))
        return sent

    async def __aenter__(self) -> "_Channel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()


def _deadline(asked: float | None, longest: float) -> float:
    timeout = longest if asked is None else asked
    outer = running_call.get()
    remaining = outer.time_remaining() if outer else None
    return timeout if remaining is None else max(0.0, min(timeout, remaining))
