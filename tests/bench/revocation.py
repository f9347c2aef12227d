"""How soon what was revoked is refused: credentials and grants, in single calls and on open streams."""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from . import ledger, upload
from .crowd import at_once
from .ledger import Void
from .records import Batch, Place, record
from .repeat import Repeat
from .stage import Metadata, Stage
from .vendors import Office

_UNARY: Final = "/parkmesh.access.v1.AccessRecordService/UploadRecords"
_STREAM: Final = "/parkmesh.access.v1.AccessRecordService/StreamRecords"
_EVERY_S: Final = 0.02
_BEFORE: Final = 3
"""Records that must be accepted before anything is revoked."""
_AFTER_S: Final = 0.06
"""For how long records are sent after the first refusal, none of which may be accepted."""
_LOST: Final = "Internal error from Core"
"""What gRPC's own library says when it was writing in the moment in which the platform ended the stream: the platform's
answer is lost, and the next stream's counts.
"""
_PATIENCE_S: Final = 10.0
_VENDORS: Final = 4
"""Under way at the same time, each with revocations of its own."""
_AGE_MS: Final = 60_000


@dataclass
class Trial:
    """One vendor that reports without a pause until it is refused."""

    prefix: str
    place: Place
    serial: "itertools.count[int]"
    """Numbers the records of all trials with the same prefix."""
    accepted: int = 0
    known: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is known everywhere that it may report."""
    known_s: float = 0.0
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    refused_s: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def request(self) -> messages.UploadRecordsRequest:
        """The next record, in a message of its own."""
        batch = Batch(self.prefix, next(self.serial), 1, (time.time_ns() // 1_000_000 - _AGE_MS,))
        return messages.UploadRecordsRequest(records=[record([self.place], batch, 0)])

    def answered(self, sent_s: float, *, accepted: bool) -> None:
        """Enters an answer. Void when it accepts what was sent after a refusal."""
        now_s = time.monotonic()
        if accepted:
            self.accepted += 1
            if self.refused_s and sent_s > self.refused_s:
                raise Void(f"{self.prefix}: a record was accepted after another had been refused")
            if self.accepted == _BEFORE:
                self.known_s = now_s
                self.known.set()
        elif self.known_s and sent_s > self.known_s and not self.refused_s:
            self.refused_s = now_s
            self.refused.set()


Sending = Callable[[Trial, grpc.aio.Channel, Metadata], Coroutine[Any, Any, None]]


async def unary(trial: Trial, channel: grpc.aio.Channel, metadata: Metadata) -> None:
    """A call with one record every 20 ms, whatever becomes of those before."""
    call: Any = channel.unary_unary(
        _UNARY,
        request_serializer=messages.UploadRecordsRequest.SerializeToString,
        response_deserializer=messages.UploadRecordsResponse.FromString,
    )

    async def one(sent_s: float) -> None:
        try:
            answer = await call(trial.request(), metadata=metadata, timeout=_PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            require_refusal(error)
            trial.answered(sent_s, accepted=False)
        else:
            trial.answered(sent_s, accepted=was_accepted(answer))

    try:
        async with asyncio.TaskGroup() as group:
            while not trial.over.is_set():
                group.create_task(one(time.monotonic()))
                await asyncio.sleep(_EVERY_S)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def stream(trial: Trial, channel: grpc.aio.Channel, metadata: Metadata) -> None:
    """A message with one record every 20 ms on an open stream; on a new one whenever one has ended."""
    call: Any = channel.stream_stream(
        _STREAM,
        request_serializer=messages.StreamRecordsRequest.SerializeToString,
        response_deserializer=messages.StreamRecordsResponse.FromString,
    )
    while not trial.over.is_set():
        sent_s: list[float] = []
        try:
            async for answer in call(_messages(trial, sent_s), metadata=metadata, timeout=6 * _PATIENCE_S):
                trial.answered(sent_s[answer.sequence], accepted=was_accepted(answer.result))
        except grpc.aio.AioRpcError as error:
            if error.details() == _LOST:
                continue
            require_refusal(error)
            trial.answered(time.monotonic(), accepted=False)
            await asyncio.sleep(_EVERY_S)


async def _messages(trial: Trial, sent_s: list[float]) -> AsyncIterator[messages.StreamRecordsRequest]:
    while not trial.over.is_set():
        sent_s.append(time.monotonic())
        yield messages.StreamRecordsRequest(sequence=len(sent_s) - 1, records=trial.request().records)
        await asyncio.sleep(_EVERY_S)


async def revocation(repeat: Repeat) -> None:
    """Milliseconds from the answer to a revocation to the first refusal, of either kind by either way of sending."""
    async with Office.opened(repeat.stage.platform) as office:
        for what, kind in (("credential", _of_credential), ("grant", _of_grant)):
            for way, sending in (("unary", unary), ("stream", stream)):
                name = f"revocation.{what}.{way}"
                times_ms = await _trials(repeat, office, name, kind, sending)
                quantiles = statistics.quantiles(times_ms, n=100)
                repeat.figures.add(f"{name}.p50", "ms", quantiles[49])
                repeat.figures.add(f"{name}.p99", "ms", min(quantiles[98], max(times_ms)))
                repeat.figures.add(f"{name}.max", "ms", max(times_ms))


@dataclass(frozen=True)
class _Vendor:
    """Whose right is revoked, and where it reports."""

    office: Office
    vendor_id: str
    place: Place
    channel: grpc.aio.Channel


Revocation = Callable[[_Vendor, Trial, Sending], Awaitable[float]]


async def _of_credential(vendor: _Vendor, trial: Trial, sending: Sending) -> float:
    issued = await vendor.office.credential(vendor.vendor_id)
    metadata = await vendor.office.token(issued)
    revoke = partial(vendor.office.revoke, vendor.vendor_id, issued.credential.client_id)
    return await refused_after(revoke, trial, sending(trial, vendor.channel, metadata))


async def _of_grant(vendor: _Vendor, trial: Trial, sending: Sending) -> float:
    await vendor.office.grant(vendor.vendor_id, vendor.place.lot_id)
    metadata = await vendor.office.token(await vendor.office.credential(vendor.vendor_id))
    revoke = partial(vendor.office.revoke_grant, vendor.vendor_id, vendor.place.lot_id)
    return await refused_after(revoke, trial, sending(trial, vendor.channel, metadata))


async def refused_after(
    revoke: Callable[[], Awaitable[None]], trial: Trial, sending: Coroutine[Any, Any, None]
) -> float:
    """Milliseconds between the two; 0 when the refusal came before the answer. Void when it never comes."""
    task = asyncio.create_task(sending)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await _happened(trial.known, task)
            await revoke()
            revoked_s = time.monotonic()
            await _happened(trial.refused, task)
        await asyncio.sleep(_AFTER_S)
    except TimeoutError:
        raise Void(f"{trial.prefix}: no record was refused, or none accepted, in {_PATIENCE_S} s") from None
    finally:
        trial.over.set()
        await task
    return max(0.0, trial.refused_s - revoked_s) * 1000


async def _happened(event: asyncio.Event, beside: "asyncio.Task[None]") -> None:
    """Returns when the event is set; raises what ends the task beside it before."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, beside}, return_when=asyncio.FIRST_COMPLETED)
        if beside.done():
            beside.result()
            raise Void("a vendor stopped reporting by itself")
    finally:
        waiting.cancel()


async def _trials(repeat: Repeat, office: Office, name: str, kind: Revocation, sending: Sending) -> list[float]:
    """Does as many as the extent says, several vendors at once, and checks the books of what was accepted."""
    stage, prefix, serial = repeat.stage, f"{name.replace('.', '-')}-{repeat.number}", itertools.count()
    times_ms: list[float] = []
    trials: list[Trial] = []
    share = -(-repeat.extent.revocations // _VENDORS)
    lots = {place.lot_id: place for place in reversed(stage.places)}
    await stage.quiet()

    async def one(place: Place) -> None:
        vendor_id = await office.vendor(f"{prefix}-{place.lot_id}")
        await office.grant(vendor_id, place.lot_id)
        async with _channel(stage) as channel:
            vendor = _Vendor(office, vendor_id, place, channel)
            for _ in range(share):
                trials.append(Trial(prefix, place, serial))
                times_ms.append(await kind(vendor, trials[-1], sending))

    await at_once(_VENDORS, list(lots.values())[:_VENDORS], one)
    accepted = sum(trial.accepted for trial in trials)
    await upload.stored(stage, (await stage.log.end(0)).offset)
    await ledger.check(stage.reader, ledger.Entry(prefix, accepted, accepted, 0))
    return times_ms


def _channel(stage: Stage) -> grpc.aio.Channel:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    trusted = grpc.ssl_channel_credentials(Path(stage.ca).read_bytes())
    return grpc.aio.secure_channel(stage.edge, trusted, options)


def was_accepted(answer: messages.UploadRecordsResponse) -> bool:
    """Whether the record was accepted. Void unless it was, or was refused as one for a lot that nobody knows."""
    if answer.accepted and not answer.items:
        return True
    if [item.reason for item in answer.items] != [reasons.ERROR_REASON_LOT_NOT_FOUND]:
        raise Void("a record of a vendor whose grant is revoked is answered otherwise than as one for no lot")
    return False


def require_refusal(error: grpc.aio.AioRpcError) -> None:
    if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
        raise Void(f"a revoked credential is answered with {error.code().name}: {error.details()}") from error
