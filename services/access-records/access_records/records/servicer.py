"""The gRPC face: convert, call one use case, convert."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from directory import Directory
from google.protobuf.timestamp_pb2 import Timestamp
from mesh import caller, paging
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.errors import FieldViolation
from mesh.instants import time_of
from mesh.validation import invalid
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import access_record_service_pb2_grpc as rpc
from parkmesh.access.v1 import record_pb2

from access_records.archive import Window
from access_records.records import answers
from access_records.records.reading import Reading
from access_records.records.revise import Revisions
from access_records.records.revision_methods import RevisionMethods
from access_records.records.state import State
from access_records.records.taking import log_refusals, masked, reporter, unknown_fields
from access_records.records.upload import Uploads
from access_records.visits.look_up_methods import LookUpMethods
from access_records.visits.search import LookingUp

_STREAM_WINDOW: Final = 64
"""How many messages of a stream are read ahead of their answers."""
_BATCH: Final = 1_000
_ALL_TIME: Final = (-62_135_596_800_000, 253_402_300_800_000)  # the years 1 to 9999


class AccessRecordServicer(RevisionMethods, LookUpMethods, rpc.AccessRecordServiceServicer):
    """Entry and exit records over gRPC."""

    def __init__(
        self,
        uploads: Uploads,
        revisions: Revisions,
        reading: Reading,
        looking_up: LookingUp,
        directory: Directory,
        clock: Clock,
    ) -> None:
        self._uploads = uploads
        self._revisions = revisions
        self._reading = reading
        self._looking_up = looking_up
        self._directory = directory
        self._clock = clock

    async def UploadRecords(
        self, request: messages.UploadRecordsRequest, context: Context
    ) -> messages.UploadRecordsResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        (answer,) = await self._upload([request.records], unknown_fields(context))
        return answer

    async def StreamRecords(
        self, requests: AsyncIterator[messages.StreamRecordsRequest], context: Context
    ) -> AsyncIterator[messages.StreamRecordsResponse]:
        """See the proto. Messages that wait while others are stored are stored together."""
        window: asyncio.Queue[messages.StreamRecordsRequest | BaseException | None] = asyncio.Queue(_STREAM_WINDOW)
        reader = asyncio.create_task(_read_ahead(requests, window))
        try:
            over = False
            while not over:
                group: list[messages.StreamRecordsRequest] = []
                failure: BaseException | None = None
                taken = await window.get()
                while True:
                    if taken is None:
                        over = True
                    elif isinstance(taken, BaseException):
                        over, failure = True, taken
                    else:
                        taken.DiscardUnknownFields()
                        group.append(taken)
                    if over or window.empty() or sum(len(one.records) for one in group) >= _BATCH:
                        break
                    taken = window.get_nowait()
                if group:
                    results = await self._upload([one.records for one in group], ())
                    for one, result in zip(group, results, strict=True):
                        yield messages.StreamRecordsResponse(sequence=one.sequence, result=result)
                if failure is not None:
                    raise failure
        finally:
            reader.cancel()

    async def GetRecord(self, request: messages.GetRecordRequest, context: Context) -> record_pb2.StoredRecord:
        """See the proto."""
        self._require(request.lot_id)
        state = await self._reading.one(request.lot_id, request.record_id)
        return answers.stored_record(state, masked=masked())

    async def BatchGetRecords(
        self, request: messages.BatchGetRecordsRequest, context: Context
    ) -> messages.BatchGetRecordsResponse:
        """See the proto."""
        self._require(request.lot_id)
        asked = list(dict.fromkeys(request.record_ids))
        found = await self._reading.several(request.lot_id, asked)
        return messages.BatchGetRecordsResponse(
            records=(answers.stored_record(state, masked=masked()) for state in found.values()),
            missing_record_ids=(record_id for record_id in asked if record_id not in found),
        )

    async def ListRecords(self, request: messages.ListRecordsRequest, context: Context) -> messages.ListRecordsResponse:
        """See the proto."""
        self._require(request.lot_id)
        start_ms, end_ms = _ALL_TIME
        if request.HasField("start_time"):
            start_ms = _instant(request.start_time, "startTime")
        if request.HasField("end_time"):
            end_ms = _instant(request.end_time, "endTime")
        page = await self._reading.page(
            Window(request.lot_id, start_ms, end_ms, request.direction),
            paging.page_size(request.page_size),
            request.page_token,
            self._clock.now_ms(),
        )
        return messages.ListRecordsResponse(
            records=(
                answers.stored_record(State(record, False, frozenset()), masked=masked()) for record in page.records
            ),
            next_page_token=page.next_token,
            complete_until=time_of(page.complete_until_ms),
        )

    async def _upload(
        self,
        batches: Sequence[Sequence[record_pb2.AccessRecord]],
        unknown_fields: Sequence[str],
    ) -> list[messages.UploadRecordsResponse]:
        """Uploads several batches as one; the answer to each."""
        records: list[record_pb2.AccessRecord] = []
        for batch in batches:
            records.extend(batch)
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        with log_refusals():
            verdicts = await self._uploads.upload(reporter(self._directory, now_ms), records, now_ms)
        found: list[messages.UploadRecordsResponse] = []
        start = 0
        for batch in batches:
            end = start + len(batch)
            found.append(answers.upload_answer(batch, verdicts[start:end], now_ms, unknown_fields))
            start = end
        return found

    def _require(self, lot_id: str) -> None:
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        self._reading.require(caller.current(), lot_id, now_ms)


async def _read_ahead(
    requests: AsyncIterator[messages.StreamRecordsRequest],
    window: asyncio.Queue[messages.StreamRecordsRequest | BaseException | None],
) -> None:
    try:
        async for request in requests:
            await window.put(request)
    except Exception as failure:
        await window.put(failure)
    else:
        await window.put(None)


def _instant(stamp: Timestamp, field: str) -> int:
    try:
        return stamp.ToMilliseconds()
    except ValueError:
        rule = FieldViolation(
            field, "timestamp", "must be an instant of the years 1 to 9999", "须为公元 1 年至 9999 年之间的时刻"
        )
        raise invalid([rule]) from None
