"""Uploads many batches: several at once, each until all its records are decided."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from grpc import StatusCode
from parkmesh.access.v1.access_record_service_pb2 import (
    OUTCOME_DEFERRED,
    ItemResult,
    UploadRecordsResponse,
)
from parkmesh.access.v1.record_pb2 import AccessRecord

from parkmesh_sdk.errors import PlatformError
from parkmesh_sdk.retry import RetryPolicy, Verdict, verdict

LARGEST_BATCH = 1000


@dataclass(frozen=True)
class BatchResult:
    """What became of one batch; the five counts add up to its size."""

    index: int
    """Its place among the batches, from 0."""
    size: int
    """How many records it holds."""
    accepted: int
    """Stored now."""
    duplicate: int
    """Stored before: also those whose first answer was lost."""
    conflicting: int
    """Another record with this id is stored."""
    rejected: int
    """Never stored: correct them."""
    deferred: int
    """Not decided when the attempts were used up: send them again later."""
    items: tuple[ItemResult, ...] = field(repr=False)
    """The last result of every record that was not newly stored or has warnings; the index is that in the batch."""
    seconds: float
    """From the first sending until all was decided."""
    attempts: int
    """How many uploads it took; retries of a call that was not answered are not counted."""
    error: PlatformError | None = None
    """Why the records left over were not answered; they count as deferred, though they may be stored."""

    @property
    def all_stored(self) -> bool:
        """Whether every record is on the platform's disk."""
        return self.accepted + self.duplicate == self.size


async def batched(records: Iterable[AccessRecord], size: int) -> AsyncIterator[list[AccessRecord]]:
    """The records in batches of that size, 1 to 1,000; ValueError for another. They are read as they are needed."""
    if not 1 <= size <= LARGEST_BATCH:
        raise ValueError(f"a batch holds 1 to {LARGEST_BATCH} records")
    source = iter(records)
    while batch := list(islice(source, size)):
        yield batch


class Uploader:
    """Uploads batches by `send`, which retries by itself what was not answered."""

    def __init__(
        self,
        send: Callable[[Iterable[AccessRecord]], Awaitable[UploadRecordsResponse]],
        retry: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._send = send
        self._retry = retry
        self._sleep = sleep
        self._chance = chance
        self._now = now

    async def upload(
        self, batches: AsyncIterable[Sequence[AccessRecord]], concurrency: int
    ) -> AsyncIterator[BatchResult]:
        """Each batch's result when it is decided; at most `concurrency` are on their way, and no more are read."""
        if concurrency < 1:
            raise ValueError("at least one batch is on its way at a time")
        source = aiter(batches)
        running: set[asyncio.Task[BatchResult]] = set()
        # Waiting for the next batch must not keep results waiting.
        reading: asyncio.Task[Sequence[AccessRecord] | None] | None = None
        ended = False
        count = 0
        try:
            while not ended or running:
                if reading is None and not ended and len(running) < concurrency:
                    reading = asyncio.ensure_future(anext(source, None))
                waiting: set[asyncio.Task[object]] = {*running, *([reading] if reading else [])}
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if reading in done:
                    batch = reading.result()
                    reading = None
                    ended = batch is None
                    if batch is not None:
                        running.add(asyncio.create_task(self._batch(count, batch)))
                        count += 1
                for task in [task for task in running if task in done]:
                    running.remove(task)
                    yield task.result()
        finally:
            left = [*running, *([reading] if reading else [])]
            for abandoned in left:
                abandoned.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _batch(self, index: int, records: Sequence[AccessRecord]) -> BatchResult:
        started = self._now()
        places: Sequence[int] = range(len(records))
        accepted = duplicate = conflicting = rejected = attempts = 0
        decided: dict[int, ItemResult] = {}
        error: PlatformError | None = None
        while places and attempts < self._retry.attempts:
            attempts += 1
            try:
                answer = await self._send(records[place] for place in places)
                _check(answer, len(places))
            except PlatformError as refusal:
                if verdict(refusal) is not Verdict.LATER:
                    raise
                error = refusal
                break
            accepted += answer.accepted
            duplicate += answer.duplicate
            conflicting += answer.conflicting
            rejected += answer.rejected
            deferred = []
            for item in answer.items:
                place = places[item.index]
                item.index = place
                decided[place] = item
                if item.outcome == OUTCOME_DEFERRED:
                    deferred.append(place)
            places = deferred
            if places and attempts < self._retry.attempts:
                asked_s = answer.retry_after_ms / 1000 or None
                await self._sleep(self._retry.delay_s(attempts, asked_s, self._chance()))
        return BatchResult(
            index=index,
            size=len(records),
            accepted=accepted,
            duplicate=duplicate,
            conflicting=conflicting,
            rejected=rejected,
            deferred=len(places),
            items=tuple(decided[place] for place in sorted(decided)),
            seconds=self._now() - started,
            attempts=attempts,
            error=error,
        )


def _check(answer: UploadRecordsResponse, sent: int) -> None:
    # Counting a record that the answer does not name would claim what nobody promised.
    counted = answer.accepted + answer.duplicate + answer.conflicting + answer.rejected + answer.deferred
    deferred = sum(item.outcome == OUTCOME_DEFERRED for item in answer.items)
    named = all(0 <= item.index < sent for item in answer.items)
    if counted != sent or deferred != answer.deferred or not named:
        raise PlatformError(StatusCode.INTERNAL, "the platform's answer does not add up")
