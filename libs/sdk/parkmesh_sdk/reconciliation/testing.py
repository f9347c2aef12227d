"""A platform in memory for tests of reconciliation: it folds what it is sent and compares as the proto says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing
from vocabulary.fingerprint import Fingerprint
from vocabulary.record import Facts, digest_of, facts_of

from parkmesh_sdk import method as methods
from parkmesh_sdk.errors import PlatformError
from parkmesh_sdk.method import Method
from parkmesh_sdk.testing import RefusedError

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

Report = record_pb2.AccessRecord | revision_pb2.RecordRevision
"""What a log holds."""

_ACTIONS: Final = {
    books_pb2.DIFFERENCE_KIND_MISSING: books_pb2.DIFFERENCE_ACTION_RESEND,
    books_pb2.DIFFERENCE_KIND_EXTRA: books_pb2.DIFFERENCE_ACTION_PULL,
    books_pb2.DIFFERENCE_KIND_DIFFERENT: books_pb2.DIFFERENCE_ACTION_CORRECT,
    books_pb2.DIFFERENCE_KIND_VOIDED_HERE: books_pb2.DIFFERENCE_ACTION_VOID,
    books_pb2.DIFFERENCE_KIND_REFUSED: books_pb2.DIFFERENCE_ACTION_FIX,
    books_pb2.DIFFERENCE_KIND_EXPECTED: books_pb2.DIFFERENCE_ACTION_WAIT,
}
_STEPS_MS: Final = {1: beijing.DAY_MS, 2: beijing.HOUR_MS, 3: beijing.MINUTE_MS}
_FOR_EVER: Final = 253_402_214_400_000


@dataclass(frozen=True)
class Entry:
    """A record as the platform has it."""

    record: record_pb2.AccessRecord
    voided: bool = False
    revision: int = 0

    @cached_property
    def facts(self) -> Facts:
        """Those that hold."""
        return facts_of(self.record)

    @cached_property
    def digest(self) -> bytes:
        """That of the facts."""
        return digest_of(self.facts)

    @property
    def event_ms(self) -> int:
        """When it happened."""
        return self.facts.event_time_ms


@dataclass
class MemoryPlatform:
    """The platform's books of one lot."""

    settled_ms: int = _FOR_EVER
    rejects: dict[str, reasons.ErrorReason.ValueType] = field(default_factory=dict)
    """Records that it refuses, and why."""
    puts_off: int = 0
    """So many uploaded records it defers."""
    page: int = 1000
    """How many records it compares in a call."""
    log: list[Report] = field(default_factory=list)
    lags: bool = False
    """What it is sent shows in its comparisons after `drain` only."""
    drained: int = 0
    """How much of the log is in its comparisons."""
    requests: list[Message] = field(default_factory=list)
    reports: list[books_pb2.CloseDayRequest] = field(default_factory=list)
    _refused: dict[str, bytes] = field(default_factory=dict)
    _entries: dict[int, Entry] = field(default_factory=dict)

    def drain(self) -> None:
        """Everything it was sent is in its comparisons."""
        self.drained = len(self.log)

    def state(self, position: int | None = None) -> dict[str, Entry]:
        """Its records by id, as of a position in the log; as of its end without one."""
        found: dict[str, Entry] = {}
        for report in self.log[:position]:
            if isinstance(report, record_pb2.AccessRecord):
                found.setdefault(report.record_id, self._entries.setdefault(id(report), Entry(report)))
            else:
                found[report.record_id] = _revised(found[report.record_id], report)
        return found

    @property
    def answers(self) -> Mapping[Method[Any, Any], Callable[[Any], Message]]:
        """Its methods."""
        return {
            methods.UPLOAD_RECORDS: self._upload,
            methods.UPLOAD_REVISIONS: self._revise,
            methods.BATCH_GET_RECORDS: self._get,
            methods.COMPARE_DIGESTS: self._compare_digests,
            methods.COMPARE_RECORDS: self._compare_records,
            methods.CLOSE_DAY: self._close,
        }

    async def call(self, method: Method[Q, A], request: Q) -> A:
        """Answers as a Client does."""
        asked = method.request.FromString(request.SerializeToString())
        self.requests.append(asked)
        try:
            answer = self.answers[method](asked)
        except RefusedError as refused:
            raise PlatformError.of(refused.status) from refused
        assert isinstance(answer, method.answer)
        return answer

    def _upload(self, request: access.UploadRecordsRequest) -> access.UploadRecordsResponse:
        return self._taken(request.records)

    def _revise(self, request: access.UploadRevisionsRequest) -> access.UploadRecordsResponse:
        return self._taken(request.revisions)

    def _taken(self, reports: Iterable[Report]) -> access.UploadRecordsResponse:
        known = {_key(report): _content(report) for report in reversed(self.log)}
        items = []
        for index, report in enumerate(reports):
            item = access.ItemResult(index=index, record_id=report.record_id, outcome=access.OUTCOME_ACCEPTED)
            key, content = _key(report), _content(report)
            if report.record_id in self.rejects:
                item.outcome = access.OUTCOME_REJECTED
                item.reason = self.rejects[report.record_id]
                item.field = f"records[{index}].plateNumber"
                if isinstance(content, Facts):
                    self._refused[report.record_id] = digest_of(content)
            elif self.puts_off:
                self.puts_off -= 1
                item.outcome = access.OUTCOME_DEFERRED
            elif key not in known:
                self.log.append(report)
                known[key] = content
            else:
                item.outcome = access.OUTCOME_DUPLICATE if content == known[key] else access.OUTCOME_CONFLICT
            items.append(item)
        count = [item.outcome for item in items].count
        return access.UploadRecordsResponse(
            accepted=count(access.OUTCOME_ACCEPTED),
            duplicate=count(access.OUTCOME_DUPLICATE),
            conflicting=count(access.OUTCOME_CONFLICT),
            rejected=count(access.OUTCOME_REJECTED),
            deferred=count(access.OUTCOME_DEFERRED),
            items=[item for item in items if item.outcome != access.OUTCOME_ACCEPTED],
        )

    def _get(self, request: access.BatchGetRecordsRequest) -> access.BatchGetRecordsResponse:
        state = self.state()
        answer = access.BatchGetRecordsResponse()
        for record_id in request.record_ids:
            if entry := state.get(record_id):
                answer.records.add(
                    record=entry.record, digest=entry.digest.hex(), revision=entry.revision, voided=entry.voided
                )
            else:
                answer.missing_record_ids.append(record_id)
        return answer

    def _compare_digests(self, request: books_pb2.CompareDigestsRequest) -> books_pb2.CompareDigestsResponse:
        position = self._position(request.position)
        start_ms, step_ms = request.start_time.ToMilliseconds(), _STEPS_MS[request.step]
        compared = max(0, min(len(request.counts), (self.settled_ms - start_ms) // step_ms))
        answer = books_pb2.CompareDigestsResponse(position=str(position), compared_count=compared)
        answer.settled_time.FromMilliseconds(self.settled_ms)
        buckets: list[list[bytes]] = [[] for _ in range(compared)]
        for entry in self.state(position).values():
            place = (entry.event_ms - start_ms) // step_ms
            if 0 <= place < compared and not entry.voided:
                buckets[place].append(entry.digest)
        for place, own in enumerate(map(Fingerprint.of, buckets)):
            if own != Fingerprint(request.counts[place], request.digest_sums[place]):
                platform = books_pb2.Fingerprint(count=own.count, digest_sum=own.digest_sum)
                answer.differing.append(books_pb2.DifferingBucket(index=place, platform=platform))
        answer.equal = not answer.differing
        return answer

    def _compare_records(self, request: books_pb2.CompareRecordsRequest) -> books_pb2.CompareRecordsResponse:
        position = self._position(request.position)
        state = self.state(position)
        start_ms, end_ms = request.start_time.ToMilliseconds(), request.end_time.ToMilliseconds()
        sent = {each.record_id: each.digest for each in request.records}
        assert list(sent) == sorted(sent)
        own = [
            record_id
            for record_id, entry in sorted(state.items())
            if not entry.voided and start_ms <= entry.event_ms < end_ms and record_id > request.after_record_id
        ]
        asked = sorted({*sent, *own})
        if request.more_follow:
            asked = [record_id for record_id in asked if record_id <= max(sent)]
        page = asked[: self.page]
        answer = books_pb2.CompareRecordsResponse(position=str(position))
        if request.more_follow or len(asked) > self.page:
            answer.next_record_id = page[-1]
        for record_id in page:
            if kind := self._kind(record_id, sent.get(record_id), state.get(record_id)):
                difference = books_pb2.RecordDifference(record_id=record_id, kind=kind, action=_ACTIONS[kind])
                if kind == books_pb2.DIFFERENCE_KIND_REFUSED:
                    difference.reason = self.rejects[record_id]
                    difference.refused_field = "plateNumber"
                answer.differences.append(difference)
        answer.equal = not answer.differences
        return answer

    def _position(self, token: str) -> int:
        if not token and not self.lags:
            self.drain()
        return int(token or self.drained)

    def _kind(self, record_id: str, sent: bytes | None, entry: Entry | None) -> books_pb2.DifferenceKind.ValueType:
        if sent is None:
            assert entry is not None
            expected = entry.event_ms >= self.settled_ms
            return books_pb2.DIFFERENCE_KIND_EXPECTED if expected else books_pb2.DIFFERENCE_KIND_EXTRA
        if entry is None and record_id in self.state():
            return books_pb2.DIFFERENCE_KIND_EXPECTED
        if entry is None and self._refused.get(record_id) == sent:
            return books_pb2.DIFFERENCE_KIND_REFUSED
        if entry is None:
            return books_pb2.DIFFERENCE_KIND_MISSING
        if entry.voided:
            return books_pb2.DIFFERENCE_KIND_VOIDED_HERE
        same = entry.digest == sent
        return books_pb2.DIFFERENCE_KIND_UNSPECIFIED if same else books_pb2.DIFFERENCE_KIND_DIFFERENT

    def _close(self, request: books_pb2.CloseDayRequest) -> books_pb2.DayReport:
        bounds = beijing.day_bounds_of(request.date)
        if bounds.end_ms > self.settled_ms:
            raise RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "DAY_NOT_SETTLED")
        own = Fingerprint.of(
            entry.digest
            for entry in self.state(self.drained).values()
            if not entry.voided and bounds.start_ms <= entry.event_ms < bounds.end_ms
        )
        equal = own == Fingerprint(request.vendor.count, request.vendor.digest_sum)
        if not equal and not request.accept_differences:
            raise RefusedError(grpc.StatusCode.FAILED_PRECONDITION, "BOOKS_DIFFER")
        self.reports.append(request)
        return books_pb2.DayReport(lot_id=request.lot_id, date=request.date, closed=True, equal=equal)


def _key(report: Report) -> tuple[str, int]:
    return report.record_id, 0 if isinstance(report, record_pb2.AccessRecord) else report.revision


def _content(report: Report) -> Facts | Message:
    return facts_of(report) if isinstance(report, record_pb2.AccessRecord) else report


def _revised(entry: Entry, revision: revision_pb2.RecordRevision) -> Entry:
    record = record_pb2.AccessRecord()
    record.CopyFrom(entry.record)
    for name in revision.update_mask.paths:
        if name == "event_time":
            record.event_time.CopyFrom(revision.changes.event_time)
        else:
            setattr(record, name, getattr(revision.changes, name))
    voided = {
        record_pb2.REVISION_KIND_VOID: True,
        record_pb2.REVISION_KIND_REINSTATEMENT: False,
    }.get(revision.kind, entry.voided)
    return Entry(record, voided, revision.revision)
