"""Finds the records in which two books of a day differ, in few round trips: day, hours, minutes, records."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Final, NamedTuple, Protocol, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from vocabulary import beijing
from vocabulary.fingerprint import Fingerprint

from parkmesh_sdk import method as methods
from parkmesh_sdk.method import Method
from parkmesh_sdk.reconciliation.books import Books

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_PAGE: Final = 1000
_FEW: Final = 100
"""With so many records a bucket is compared record by record: its parts' fingerprints would cost as much to send."""
_STEPS_MS: Final = {
    books_pb2.STEP_DAY: beijing.DAY_MS,
    books_pb2.STEP_HOUR: beijing.HOUR_MS,
    books_pb2.STEP_MINUTE: beijing.MINUTE_MS,
}


class Caller(Protocol):
    """Who calls the platform: a Client."""

    async def call(self, method: Method[Q, A], request: Q) -> A:
        """Calls once or as often as that helps. PlatformError: the last refusal."""


@dataclass
class Counter:
    """Calls the platform and counts."""

    caller: Caller
    calls: int = 0
    """Round trips."""
    sent: int = 0
    """How many bytes the requests have in protobuf; JSON takes about half as much again."""
    received: int = 0
    """How many bytes the answers have."""

    async def call(self, method: Method[Q, A], request: Q) -> A:
        """See `Caller`."""
        self.calls += 1
        self.sent += request.ByteSize()
        answer = await self.caller.call(method, request)
        self.received += answer.ByteSize()
        return answer


class Bucket(NamedTuple):
    """A part of the day, as both books have it."""

    start_ms: int
    end_ms: int
    own: int
    """How many records the vendor has in it."""
    differs: bool
    largest: int
    """How many records the one has who has more."""


@dataclass
class Comparison:
    """What one comparison of a day found."""

    vendor: Fingerprint
    """Of the whole day."""
    equal: bool = False
    """Whether all that was compared has equal fingerprints."""
    complete: bool = False
    """Whether the whole day was compared; its end may not be settled yet."""
    settled_ms: int = 0
    """What happened before this instant is settled."""
    differences: dict[str, books_pb2.RecordDifference] = field(default_factory=dict)
    """Each record that differs, once, by id."""
    pending: set[str] = field(default_factory=set)
    """Records that are on their way into the platform's books: no differences yet."""

    def add(self, difference: books_pb2.RecordDifference) -> None:
        """Takes a difference in; a record that the platform has elsewhere than the vendor is told of at both places."""
        if difference.kind == books_pb2.DIFFERENCE_KIND_EXPECTED:
            self.pending.add(difference.record_id)
            return
        known = self.differences.get(difference.record_id)
        if known is None or known.kind == books_pb2.DIFFERENCE_KIND_EXTRA:
            self.differences[difference.record_id] = difference


class Comparing:
    """Compares one day of one lot, as of one state of the platform's books."""

    def __init__(self, caller: Caller, lot_id: str, books: Books) -> None:
        self._caller = caller
        self._lot_id = lot_id
        self._books = books
        self._position = ""
        self._settled_ms = 0

    async def days(self, span: beijing.Bounds) -> list[Bucket]:
        """The settled days of a span of whole Beijing days, at most 400. PlatformError as the platform refuses."""
        return await self._split(books_pb2.STEP_DAY, span)

    async def compare(self, day: beijing.Bounds) -> Comparison:
        """What differs on that day. PlatformError as the platform refuses."""
        (vendor,) = await self._books.fingerprints(day.start_ms, beijing.DAY_MS, 1)
        parts = await self._buckets(books_pb2.STEP_DAY, day, [vendor])
        found = Comparison(vendor, complete=bool(parts))
        if not parts or _many(parts[0]):
            parts = await self._split(books_pb2.STEP_HOUR, day)
        large = [hour for hour in parts if _many(hour)]
        if large:
            span = beijing.Bounds(large[0].start_ms, large[-1].end_ms)
            minutes = await self._split(books_pb2.STEP_MINUTE, span)
            around = [hour for hour in parts if hour not in large]
            inside = [minute for minute in minutes if not any(_covers(hour, minute) for hour in around)]
            parts = sorted([*around, *inside])
        for window in windows(parts):
            async for difference in self._records(window):
                found.add(difference)
        found.equal = not any(part.differs for part in parts)
        found.settled_ms = self._settled_ms
        return found

    async def _split(self, step: books_pb2.Step.ValueType, span: beijing.Bounds) -> list[Bucket]:
        length_ms = _STEPS_MS[step]
        parts = (span.end_ms - span.start_ms) // length_ms
        return await self._buckets(step, span, await self._books.fingerprints(span.start_ms, length_ms, parts))

    async def _buckets(
        self, step: books_pb2.Step.ValueType, span: beijing.Bounds, vendor: Sequence[Fingerprint]
    ) -> list[Bucket]:
        """The buckets that were compared: those whose end is settled."""
        request = books_pb2.CompareDigestsRequest(
            lot_id=self._lot_id,
            start_time=_time(span.start_ms),
            step=step,
            counts=[each.count for each in vendor],
            digest_sums=[each.digest_sum for each in vendor],
            position=self._position,
        )
        answer = await self._caller.call(methods.COMPARE_DIGESTS, request)
        self._position = answer.position
        self._settled_ms = answer.settled_time.ToMilliseconds()
        differing = {bucket.index: bucket.platform.count for bucket in answer.differing}
        starts = count(span.start_ms, _STEPS_MS[step])
        return [
            Bucket(
                start, start + _STEPS_MS[step], own.count, place in differing, max(own.count, differing.get(place, 0))
            )
            for place, (start, own) in enumerate(zip(starts, vendor, strict=False))
            if place < answer.compared_count
        ]

    async def _records(self, window: beijing.Bounds) -> AsyncIterator[books_pb2.RecordDifference]:
        own = sorted((await self._books.digests(*window)).items())
        request = books_pb2.CompareRecordsRequest(
            lot_id=self._lot_id, start_time=_time(window.start_ms), end_time=_time(window.end_ms)
        )
        while True:
            rest = [each for each in own if each[0] > request.after_record_id]
            del request.records[:]
            request.records.extend(
                books_pb2.RecordDigest(record_id=record_id, digest=digest) for record_id, digest in islice(rest, _PAGE)
            )
            request.more_follow = len(rest) > _PAGE
            request.position = self._position
            answer = await self._caller.call(methods.COMPARE_RECORDS, request)
            self._position = answer.position
            for difference in answer.differences:
                yield difference
            if not answer.next_record_id:
                return
            request.after_record_id = answer.next_record_id


def windows(parts: Sequence[Bucket]) -> Iterator[beijing.Bounds]:
    """The spans to compare record by record: the parts that differ, and what lies between them where it is little."""
    start_ms = end_ms = size = gap = 0
    for part in parts:
        if not part.differs:
            gap += part.own
        elif end_ms and gap <= _FEW and size + gap + part.own <= _PAGE:
            end_ms, size, gap = part.end_ms, size + gap + part.own, 0
        else:
            if end_ms:
                yield beijing.Bounds(start_ms, end_ms)
            start_ms, end_ms, size, gap = part.start_ms, part.end_ms, part.own, 0
    if end_ms:
        yield beijing.Bounds(start_ms, end_ms)


def _many(bucket: Bucket) -> bool:
    return bucket.differs and bucket.largest > _FEW


def _covers(hour: Bucket, minute: Bucket) -> bool:
    return hour.start_ms <= minute.start_ms < hour.end_ms


def _time(epoch_ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(epoch_ms)
    return made
