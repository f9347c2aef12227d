"""Between the use cases' values and the messages of the contract: pure, no decisions."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from mesh.instants import time_of
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from vocabulary import ids
from vocabulary.plate import id_reveals_plate

from access_records.archive import Report
from access_records.records.state import State
from access_records.records.verdict import Verdict

Sent = TypeVar("Sent", record_pb2.AccessRecord, revision_pb2.RecordRevision)

RETRY_AFTER_MS: Final = 2_000
"""How long to wait before deferred records are sent again."""

_STATED: Final = tuple(field.name for field in record_pb2.AccessRecord.DESCRIPTOR.fields)


def upload_answer(
    records: Sequence[record_pb2.AccessRecord], verdicts: Sequence[Verdict], now_ms: int, unknown_fields: Sequence[str]
) -> messages.UploadRecordsResponse:
    """The answer to a batch of records."""
    ids = _Shown(records, lambda record: record.plate_number)
    return _answer("records", ids, verdicts, now_ms, unknown_fields)


def revisions_answer(
    revisions: Sequence[revision_pb2.RecordRevision],
    verdicts: Sequence[Verdict],
    now_ms: int,
    unknown_fields: Sequence[str],
) -> messages.UploadRecordsResponse:
    """The answer to a batch of revisions."""
    ids = _Shown(revisions, lambda revision: revision.changes.plate_number)
    return _answer("revisions", ids, verdicts, now_ms, unknown_fields)


class _Shown(Generic[Sent]):
    """The ids of a batch's items, looked at only where they are told."""

    def __init__(self, items: Sequence[Sent], plate: Callable[[Sent], str]) -> None:
        self._items: Sequence[Sent] = items
        self._plate: Callable[[Sent], str] = plate

    def __getitem__(self, index: int) -> str:
        """The item's record id, unless it is no id or gives the plate away."""
        item = self._items[index]
        record_id: str = item.record_id
        revealing = not ids.is_vendor_id(record_id) or id_reveals_plate(record_id, self._plate(item))
        return "" if revealing else record_id


def _answer(
    batch: str, shown: _Shown[Any], verdicts: Sequence[Verdict], now_ms: int, unknown_fields: Sequence[str]
) -> messages.UploadRecordsResponse:
    counts = [0] * len(messages.Outcome.values())
    answer = messages.UploadRecordsResponse(server_time=time_of(now_ms), unknown_fields=unknown_fields)
    for index, verdict in enumerate(verdicts):
        counts[verdict.outcome] += 1
        if verdict.outcome != messages.OUTCOME_ACCEPTED or verdict.warnings:
            answer.items.append(_item(f"{batch}[{index}]", index, shown[index], verdict))
    answer.accepted = counts[messages.OUTCOME_ACCEPTED]
    answer.duplicate = counts[messages.OUTCOME_DUPLICATE]
    answer.conflicting = counts[messages.OUTCOME_CONFLICT]
    answer.rejected = counts[messages.OUTCOME_REJECTED]
    answer.deferred = counts[messages.OUTCOME_DEFERRED]
    answer.all_stored = answer.accepted + answer.duplicate == len(verdicts)
    if answer.deferred:
        answer.retry_after_ms = RETRY_AFTER_MS
    return answer


def _item(place: str, index: int, record_id: str, verdict: Verdict) -> messages.ItemResult:
    return messages.ItemResult(
        index=index,
        record_id=record_id,
        outcome=verdict.outcome,
        reason=verdict.reason,
        field=f"{place}.{verdict.field}" if verdict.field else place if verdict.reason else "",
        message=verdict.message,
        message_zh=verdict.chinese,
        retryable=verdict.retryable,
        warnings=verdict.warnings,
    )


def stored_record(state: State, *, masked: bool = False) -> record_pb2.StoredRecord:
    """A record as the platform holds it; `masked`: without its plate and what would tell it to whoever tries all."""
    logged = state.record
    return record_pb2.StoredRecord(
        record=_stated(logged, masked),
        accept_time=time_of(logged.accept_ms),
        delay_ms=max(-(2**31), min(2**31 - 1, logged.accept_ms - logged.event_ms)),
        digest="" if masked else logged.digest.hex(),
        warnings=logged.warnings,
        vendor_id=logged.vendor_id,
        revision=logged.revision,
        voided=state.voided,
        etag="" if masked else state.etag,
        revise_time=time_of(logged.revise_ms) if logged.revise_ms else None,
    )


def stored_revisions(reports: Sequence[Report], *, masked: bool) -> list[revision_pb2.StoredRevision]:
    """All that was reported under an id, given by number, then as it came; `masked` as for `stored_record`."""
    answer = []
    numbers: set[int] = set()
    for report in reports:
        answer.append(
            revision_pb2.StoredRevision(
                revision=_revision(report, masked),
                accept_time=time_of(report.accept_ms),
                digest="" if masked else report.digest.hex(),
                vendor_id=report.vendor_id,
                account_id=report.account_id,
                record=None if report.revision else _stated(report, masked),
                conflicting=report.revision in numbers,
                warnings=report.warnings,
            )
        )
        numbers.add(report.revision)
    return answer


def _revision(report: Report, masked: bool) -> revision_pb2.RecordRevision:
    stated = revision_pb2.RecordRevision(
        lot_id=report.lot_id,
        record_id=report.record_id,
        revision=report.revision,
        kind=report.revision_kind,
        reason=report.reason,
        reason_text=report.reason_text,
        author=report.author,
        evidence_ids=report.evidence_ids,
        made_time=time_of(report.made_ms) if report.revision else None,
    )
    stated.update_mask.paths.extend(report.revised_fields)
    for name in report.revised_fields:
        if name == "event_time":
            stated.changes.event_time.CopyFrom(report.event_time)
        else:
            setattr(stated.changes, name, getattr(report, name))
    if masked and stated.changes.plate_number:
        stated.changes.plate_number = report.plate_masked
    return stated


def _stated(logged: record_pb2.LoggedRecord, masked: bool) -> record_pb2.AccessRecord:
    record = record_pb2.AccessRecord(**{name: getattr(logged, name) for name in _STATED if _is_stated(logged, name)})
    if masked and record.plate_number:
        record.plate_number = logged.plate_masked
    return record


def _is_stated(logged: record_pb2.LoggedRecord, name: str) -> bool:
    field = record_pb2.LoggedRecord.DESCRIPTOR.fields_by_name[name]
    return logged.HasField(cast(Any, name)) if field.has_presence else bool(getattr(logged, name))
