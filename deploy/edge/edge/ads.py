"""Envoy's aggregated discovery service, state of the world: answers subscriptions, pushes changes, counts refusals."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from envoy_data_plane.envoy.service.discovery import v3 as discovery

from edge.resources import Snapshot

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
METHOD = "StreamAggregatedResources"
log = logging.getLogger(__name__)


class Discovery:
    """Holds the newest snapshot and keeps every connected Envoy on it.

    A type that the snapshot does not hold (yet) is not answered: Envoy waits for it. `on_refused(type)` is called for
    every configuration that an Envoy refuses; such an Envoy stays with what it had.
    """

    def __init__(self, on_refused: Callable[[str], None]) -> None:
        self._snapshot: Snapshot = {}
        self._on_refused = on_refused
        self._streams: set[asyncio.Event] = set()

    def publish(self, snapshot: Snapshot) -> None:
        """Replaces the snapshot; every open stream is sent the types that differ from what it was sent last."""
        self._snapshot = snapshot
        for changed in self._streams:
            changed.set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The handler to add to a grpc.aio server."""
        method = grpc.stream_stream_rpc_method_handler(
            self._stream, request_deserializer=discovery.DiscoveryRequest.FromString, response_serializer=bytes
        )
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})

    async def _stream(
        self, requests: AsyncIterator[discovery.DiscoveryRequest], context: Any
    ) -> AsyncIterator[discovery.DiscoveryResponse]:
        subscriptions = Subscriptions(self._on_refused)
        changed = asyncio.Event()
        self._streams.add(changed)
        listening = asyncio.ensure_future(listen(requests, subscriptions, changed))
        try:
            while not listening.done():
                await changed.wait()
                changed.clear()
                for response in subscriptions.due(self._snapshot):
                    yield response
        finally:
            self._streams.discard(changed)
            listening.cancel()


async def listen(
    requests: AsyncIterator[discovery.DiscoveryRequest], subscriptions: "Subscriptions", changed: asyncio.Event
) -> None:
    """Takes what the Envoy at the other end says, until it ends."""
    try:
        async for request in requests:
            subscriptions.take(request)
            changed.set()
    finally:
        changed.set()


class Subscriptions:
    """What one Envoy wants and what it was sent last, by type."""

    def __init__(self, on_refused: Callable[[str], None]) -> None:
        self._on_refused = on_refused
        self._wanted: dict[str, frozenset[str]] = {}
        self._sent: dict[str, tuple[str, frozenset[str]]] = {}
        self._nonces: dict[str, str] = {}
        self._count = 0

    def take(self, request: discovery.DiscoveryRequest) -> None:
        """A subscription, a changed subscription, an acceptance or a refusal. One that answers an older response is out
        of date and says nothing.
        """
        kind = request.type_url
        if request.response_nonce and request.response_nonce != self._nonces.get(kind):
            return
        if request.error_detail is not None:
            log.error("configuration refused", extra={"type": kind, "reason": request.error_detail.message})
            self._on_refused(kind)
        self._wanted[kind] = frozenset(request.resource_names)

    def due(self, snapshot: Snapshot) -> list[discovery.DiscoveryResponse]:
        """The responses to send now: clusters before listeners before routes, as Envoy asks for them in that order. A
        refused version is not sent again.
        """
        responses = []
        for kind, names in self._wanted.items():
            if kind not in snapshot or self._sent.get(kind) == (snapshot[kind].version, names):
                continue
            self._count += 1
            self._nonces[kind] = str(self._count)
            self._sent[kind] = (snapshot[kind].version, names)
            packed = snapshot[kind].packed
            chosen = [packed[name] for name in packed if not names or name in names or "*" in names]
            responses.append(
                discovery.DiscoveryResponse(
                    version_info=snapshot[kind].version, type_url=kind, nonce=str(self._count), resources=chosen
                )
            )
        return responses
