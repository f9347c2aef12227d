"""A vendor's load through the edge: records and revisions by gRPC, REST and stream, every answer entered in books."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any
from zlib import crc32

from grpc import StatusCode
from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh_cli.plates import vehicle
from parkmesh_cli.premises import Site
from parkmesh_sdk import Client, Method, PlatformError, Protocol, RetryPolicy

from ..city import HOUR_MS, connection, now_ms, record
from .books import Books, Fate, Sent, key_of

Batch = list[record_pb2.AccessRecord]

BATCH = 20
REVISIONS = 6
_DEADLINE_S = 8.0
_PAUSE_S = 0.03
_PAUSE_AFTER_REFUSAL_S = 0.2
_STREAMED = 10
_REVISED_SHARE = 0.3
_MOST_NUMBERS = 5
_KINDS = (
    record_pb2.REVISION_KIND_CORRECTION,
    record_pb2.REVISION_KIND_CORRECTION,
    record_pb2.REVISION_KIND_VOID,
    record_pb2.REVISION_KIND_REINSTATEMENT,
)
_REVISE = Method.of(
    access.DESCRIPTOR,
    "AccessRecordService",
    "UploadRevisions",
    access.UploadRevisionsRequest,
    access.UploadRecordsResponse,
)
_CERTAIN = {StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNAUTHENTICATED, StatusCode.INVALID_ARGUMENT}
"""With these nothing was stored; the table is the vendors'."""


class Load:
    """Uploads until it is told to stop. Its choices follow from the seed; what the platform makes of them does not."""

    def __init__(self, platform: RunningPlatform, sites: Sequence[Site], prefix: str, seed: int) -> None:
        self.books = Books()
        self._platform = platform
        self._sites = sites
        self._prefix = prefix
        self._random = random.Random(seed)
        self._count = 0
        self._records: dict[str, record_pb2.AccessRecord] = {}
        self._revised: dict[str, revision_pb2.RecordRevision] = {}
        self._numbers: Counter[str] = Counter()
        self._stopping = False
        self._news = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """The load, on its way for the length of the block."""
        self._stopping = False
        async with (
            Client(connection(self._platform, deadline_s=_DEADLINE_S), retry=RetryPolicy(attempts=1)) as grpc,
            Client(
                connection(self._platform, deadline_s=_DEADLINE_S),
                protocol=Protocol.REST,
                retry=RetryPolicy(attempts=1),
                compress=True,
            ) as rest,
            asyncio.TaskGroup() as group,
        ):
            for client in (grpc, grpc, rest, rest):
                group.create_task(self._calls(client))
            group.create_task(self._streams(grpc))
            try:
                yield self
            finally:
                self._stopping = True

    async def acknowledged(self, more: int) -> None:
        """Returns when so many more records than now have been acknowledged. TimeoutError."""
        wanted = self.books.count(Fate.ACKED) + more
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: self.books.count(Fate.ACKED) >= wanted)

    async def upload(self, client: Client, records: Batch) -> PlatformError | None:
        """Uploads one batch and enters what became of it; the refusal when there is one."""
        return await self._send(records, client.upload(records))

    async def revise(self, client: Client, revisions: list[revision_pb2.RecordRevision]) -> PlatformError | None:
        """Uploads revisions and enters what became of them; the refusal when there is one."""
        request = access.UploadRevisionsRequest(revisions=revisions)
        return await self._send(revisions, client.call(_REVISE, request))

    async def _send(
        self, records: Sequence[Sent], call: Coroutine[Any, Any, access.UploadRecordsResponse]
    ) -> PlatformError | None:
        self.books.send(records)
        try:
            answer = await call
        except PlatformError as error:
            self.books.refuse(records, error.code.name, nothing_stored=error.code in _CERTAIN)
            return error
        self.books.answer(records, answer)
        async with self._news:
            self._news.notify_all()
        return None

    def batch(self) -> Batch:
        """Fresh records, some of today and some older than the index remembers; and a few that were sent before."""
        batch = [self._fresh() for _ in range(BATCH)]
        # Some are never asked about again: what is stored of them is stored once or not at all.
        again = [key for key in self._keys(Fate.UNKNOWN)[-200:] if crc32(key.encode()) % 3]
        again += self._keys(Fate.REFUSED)[-100:] + self._keys(Fate.ACKED)[-300:]
        chosen = self._random.sample(again, min(len(again), BATCH // 4))
        return batch + [self._records[key] for key in chosen]

    def revisions(self) -> list[revision_pb2.RecordRevision]:
        """Fresh revisions of a few records, some of which were never answered; and a few that were sent before."""
        known = list(self._records.values())[-300:]
        chosen = self._random.sample(known, min(len(known), REVISIONS))
        fresh = [self._revision(one) for one in chosen if self._numbers[one.record_id] < _MOST_NUMBERS]
        sent = list(self._revised.values())
        return fresh + self._random.sample(sent, min(len(sent), REVISIONS // 2))

    def _revision(self, record: record_pb2.AccessRecord) -> revision_pb2.RecordRevision:
        self._numbers[record.record_id] += 1
        made = revision_pb2.RecordRevision(
            lot_id=record.lot_id,
            record_id=record.record_id,
            revision=self._numbers[record.record_id],
            kind=self._random.choice(_KINDS),
            reason=record_pb2.REVISION_REASON_TEST,
            author="chaos",
        )
        made.made_time.FromMilliseconds(now_ms())
        if made.kind == record_pb2.REVISION_KIND_CORRECTION:
            if self._random.random() < 0.5:
                made.changes.event_time.FromMilliseconds(now_ms() - self._random.randrange(40 * 24 * HOUR_MS))
                made.update_mask.paths.append("event_time")
            else:
                made.changes.plate_number = vehicle(self._random.randrange(100_000)).plate
                made.changes.plate_colour = record_pb2.PLATE_COLOUR_OTHER
                made.update_mask.paths.extend(("plate_number", "plate_colour", "plate_kind", "plate_state"))
        self._revised[key_of(made)] = made
        return made

    def _keys(self, fate: Fate) -> list[str]:
        return [key for key in self.books.with_fate(fate) if key in self._records]

    def _fresh(self) -> record_pb2.AccessRecord:
        self._count += 1
        age = self._random.randrange(HOUR_MS) + (100 * HOUR_MS if self._random.random() < 0.2 else 0)
        site = self._random.choice(self._sites)
        made = record(site, f"{self._prefix}-{self._count}", now_ms() - age, self._random.randrange(100_000))
        self._records[made.record_id] = made
        return made

    async def _calls(self, client: Client) -> None:
        while not self._stopping:
            refusal = await self.upload(client, self.batch())
            if self._random.random() < _REVISED_SHARE:
                await self.revise(client, self.revisions())
            await asyncio.sleep(_PAUSE_S if refusal is None else _PAUSE_AFTER_REFUSAL_S)

    async def _streams(self, client: Client) -> None:
        """A stream of a few batches, again and again; those unanswered when it breaks stay unknown."""
        while not self._stopping:
            under_way: list[Batch] = []
            with contextlib.suppress(PlatformError):
                async for answer in client.stream(self._sent(under_way), deadline_s=_DEADLINE_S):
                    self.books.answer(under_way.pop(0), answer)
            for records in under_way:
                self.books.refuse(records, "STREAM_BROKEN", nothing_stored=False)
            await asyncio.sleep(_PAUSE_AFTER_REFUSAL_S if under_way else _PAUSE_S)

    async def _sent(self, under_way: list[Batch]) -> AsyncIterator[Batch]:
        for _ in range(_STREAMED):
            records = self.batch()
            self.books.send(records)
            under_way.append(records)
            yield records
            await asyncio.sleep(_PAUSE_S)
