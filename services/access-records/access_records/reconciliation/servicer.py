"""The gRPC face of reconciliation: convert, call one use case, convert."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from directory import Directory
from eventlog import LogUnavailable
from google.protobuf.timestamp_pb2 import Timestamp
from history.errors import HistoryError
from mesh import caller, paging
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.errors import FieldViolation, MeshError
from mesh.instants import time_of
from mesh.validation import invalid
from mesh.wording import REQUIRED
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1 import reconciliation_service_pb2_grpc as rpc
from vocabulary import beijing, plate
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from access_records.reconciliation import answers
from access_records.reconciliation.buckets import LENGTH_MS, MOST_DAYS, Buckets
from access_records.reconciliation.classify import differs
from access_records.reconciliation.closing import Closing, Statement
from access_records.reconciliation.comparing import Comparing
from access_records.reconciliation.ledger import TooManyChanges
from access_records.reconciliation.marks import not_a_position, token_of
from access_records.reconciliation.overview import Overview
from access_records.records.reading import Reading, history_unavailable, log_unavailable
from access_records.records.taking import log_refusals

_WINDOW_MS: Final = 32 * beijing.DAY_MS
_AUTHORITY: Final = frozenset({caller.CallerKind.SUPERVISOR, caller.CallerKind.ADMINISTRATOR})
"""Whose business is whether the books agree, not what is in them."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the face calls."""

    comparing: Comparing
    closing: Closing
    overview: Overview
    reading: Reading
    """Who may see which lot."""


class ReconciliationServicer(rpc.ReconciliationServiceServicer):
    """Reconciliation over gRPC."""

    def __init__(self, cases: UseCases, directory: Directory, clock: Clock) -> None:
        self._cases = cases
        self._directory = directory
        self._clock = clock

    async def CompareCounts(
        self, request: messages.CompareCountsRequest, context: Context
    ) -> messages.CompareCountsResponse:
        """See the proto."""
        now_ms = self._require(request.lot_id)
        day = _day(request.date)
        if len({one.direction for one in request.directions}) < len(request.directions):
            raise _wrong("directions", "must hold each direction once", "每个方向只能出现一次")
        with _readable():
            counts, mark = await self._cases.comparing.counts(request.lot_id, day, request.position, now_ms)
        return messages.CompareCountsResponse(
            equal=answers.equal_counts(request.directions, counts),
            directions=answers.direction_counts(counts),
            position=token_of(request.lot_id, mark),
            settled_time=time_of(max(0, mark.settled_ms)),
        )

    async def CompareDigests(
        self, request: messages.CompareDigestsRequest, context: Context
    ) -> messages.CompareDigestsResponse:
        """See the proto."""
        now_ms = self._require(request.lot_id)
        if len(request.counts) != len(request.digest_sums):
            raise _wrong("digestSums", "must be as many as counts", "数量须与 counts 相同")
        buckets = Buckets(_instant(request.start_time, "startTime"), LENGTH_MS[request.step], len(request.counts))
        if not buckets.aligned:
            raise _wrong(
                "startTime",
                "must be where a Beijing day, hour or minute begins, as step says",
                "须为北京时间的整日、整时或整分，与 step 一致",
            )
        if buckets.count * buckets.length_ms > MOST_DAYS * beijing.DAY_MS:
            raise _wrong("counts", f"must span at most {MOST_DAYS} days", f"跨度不得超过 {MOST_DAYS} 天")
        vendor = [Fingerprint(*one) for one in zip(request.counts, request.digest_sums, strict=True)]
        with _readable():
            answer = await self._cases.comparing.digests(
                request.lot_id, caller.current().subject, buckets, vendor, request.position, now_ms
            )
        return messages.CompareDigestsResponse(
            equal=not answer.differing,
            differing=[
                messages.DifferingBucket(
                    index=index, start_time=time_of(buckets.begin(index)), platform=answers.fingerprint(ours)
                )
                for index, ours in answer.differing
            ],
            compared_count=answer.compared.count,
            position=token_of(request.lot_id, answer.mark),
            settled_time=time_of(max(0, answer.mark.settled_ms)),
        )

    async def CompareRecords(
        self, request: messages.CompareRecordsRequest, context: Context
    ) -> messages.CompareRecordsResponse:
        """See the proto."""
        now_ms = self._require(request.lot_id)
        window = Bounds(_instant(request.start_time, "startTime"), _instant(request.end_time, "endTime"))
        if not 0 < window.end_ms - window.start_ms <= _WINDOW_MS:
            raise _wrong("endTime", "must be after startTime, at most 32 days", "须晚于 startTime，且相距不超过 32 天")
        vendor = _vendor(request.records, request.after_record_id)
        with _readable():
            answer = await self._cases.comparing.records(
                request.lot_id,
                window,
                vendor,
                request.position,
                now_ms,
                after=request.after_record_id,
                more_follow=request.more_follow,
            )
        return messages.CompareRecordsResponse(
            equal=not differs(answer.differences),
            differences=map(answers.difference, answer.differences),
            next_record_id=answer.next_id,
            position=token_of(request.lot_id, answer.mark),
            settled_time=time_of(max(0, answer.mark.settled_ms)),
        )

    async def CloseDay(self, request: messages.CloseDayRequest, context: Context) -> messages.DayReport:
        """See the proto."""
        now_ms = self._require(request.lot_id)
        _day(request.date)
        if request.accept_differences and not request.reason:
            raise invalid([FieldViolation("reason", "required", *REQUIRED)])
        if not request.vendor.HasField("digest_sum"):
            raise invalid([FieldViolation("vendor.digestSum", "required", *REQUIRED)])
        for field in ("author", "reason"):
            if plate.contains_plate(getattr(request, field)):
                raise _wrong(field, "must not contain a plate", "不得包含号牌")
        statement = Statement(
            vendor=Fingerprint(request.vendor.count, request.vendor.digest_sum),
            author=request.author,
            accept_differences=request.accept_differences,
            reason=request.reason,
        )
        with _readable(), log_refusals():
            standing = await self._cases.closing.close(
                caller.current(), request.lot_id, request.date, statement, now_ms
            )
        return answers.day_report(standing)

    async def GetReport(self, request: messages.GetReportRequest, context: Context) -> messages.DayReport:
        """See the proto."""
        now_ms = self._require(request.lot_id)
        _day(request.date)
        with _readable():
            standing = await self._cases.closing.report(request.lot_id, request.date, now_ms)
        return answers.day_report(standing, with_sums=caller.current().kind not in _AUTHORITY)

    async def ListBooks(self, request: messages.ListBooksRequest, context: Context) -> messages.ListBooksResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        now_ms = self._clock.now_ms()
        size = paging.page_size(request.page_size)
        (after,) = paging.decode(request.page_token, request, (paging.ID,)) or ("",)
        with _readable():
            settled_ms = max(0, await self._cases.comparing.marks.newest(now_ms))
            # The last day that is over and settled: nobody can have compared the whole of a later one.
            date = request.date or beijing.day_key(settled_ms - beijing.DAY_MS)
            page = await self._cases.overview.page(
                caller.current(), _day(date), frozenset(request.states), after, size, now_ms
            )
        return messages.ListBooksResponse(
            books=map(answers.lot_books, page.books),
            next_page_token=paging.encode(request, (page.last,)) if page.last else "",
            date=date,
            settled_time=time_of(settled_ms),
        )

    async def GetReportKey(self, request: messages.GetReportKeyRequest, context: Context) -> messages.ReportKey:
        """See the proto."""
        key = self._cases.closing.key
        return messages.ReportKey(key_id=key.key_id, public_key_pem=key.public_pem)

    def _require(self, lot_id: str) -> int:
        """The time, once the caller may see the lot; LOT_NOT_FOUND."""
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        self._cases.reading.require(caller.current(), lot_id, now_ms)
        return now_ms


@contextmanager
def _readable() -> Iterator[None]:
    """Tells the caller, within the block, what cannot be read now, or not as of the position."""
    try:
        yield
    except HistoryError:
        raise history_unavailable() from None
    except LogUnavailable:
        raise log_unavailable() from None
    except TooManyChanges:
        raise not_a_position() from None


def _vendor(records: Sequence[messages.RecordDigest], after: str) -> Mapping[str, bytes]:
    vendor = {record.record_id: record.digest for record in records}
    if len(vendor) < len(records):
        raise _wrong("records", "must hold each id once", "每个编号只能出现一次")
    if min(vendor, default="~") <= after:
        raise _wrong("records", "must come after afterRecordId", "编号须在 afterRecordId 之后")
    return vendor


def _day(date: str) -> Bounds:
    try:
        return beijing.day_bounds_of(date)
    except ValueError:
        raise _wrong("date", "must be a day of the calendar", "须为日历中的日期") from None


def _instant(stamp: Timestamp, field: str) -> int:
    try:
        return stamp.ToMilliseconds()
    except ValueError:
        raise _wrong(field, "must be an instant of the years 1 to 9999", "须为公元 1 年至 9999 年之间的时刻") from None


def _wrong(field: str, english: str, chinese: str) -> MeshError:
    return invalid([FieldViolation(field, "reconciliation", english, chinese)])
