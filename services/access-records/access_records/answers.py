"""Between the use cases' values and the messages of the contract: pure, no decisions."""

from collections.abc import Sequence
from typing import Any, Final, cast

from mesh.instants import time_of
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from vocabulary import ids
from vocabulary.plate import id_reveals_plate

from access_records.upload import Verdict

RETRY_AFTER_MS: Final = 2_000
"""How long to wait before deferred records are sent again."""

_STATED: Final = tuple(field.name for field in record_pb2.AccessRecord.DESCRIPTOR.fields)


def upload_answer(
    records: Sequence[record_pb2.AccessRecord], verdicts: Sequence[Verdict], now_ms: int, unknown_fields: Sequence[str]
) -> messages.UploadRecordsResponse:
    """The answer to a batch."""
    counts = [0] * len(messages.Outcome.values())
    answer = messages.UploadRecordsResponse(server_time=time_of(now_ms), unknown_fields=unknown_fields)
    for index, verdict in enumerate(verdicts):
        counts[verdict.outcome] += 1
        if verdict.outcome != messages.OUTCOME_ACCEPTED or verdict.warnings:
            answer.items.append(_item(index, records[index], verdict))
    answer.accepted = counts[messages.OUTCOME_ACCEPTED]
    answer.duplicate = counts[messages.OUTCOME_DUPLICATE]
    answer.conflicting = counts[messages.OUTCOME_CONFLICT]
    answer.rejected = counts[messages.OUTCOME_REJECTED]
    answer.deferred = counts[messages.OUTCOME_DEFERRED]
    answer.all_stored = answer.accepted + answer.duplicate == len(verdicts)
    if answer.deferred:
        answer.retry_after_ms = RETRY_AFTER_MS
    return answer


def _item(index: int, record: record_pb2.AccessRecord, verdict: Verdict) -> messages.ItemResult:
    if verdict.outcome == messages.OUTCOME_DUPLICATE:
        return messages.ItemResult(index=index, record_id=record.record_id, outcome=verdict.outcome)
    place = f"records[{index}]"
    return messages.ItemResult(
        index=index,
        record_id=_showable(record),
        outcome=verdict.outcome,
        reason=verdict.reason,
        field=f"{place}.{verdict.field}" if verdict.field else place if verdict.reason else "",
        message=verdict.message,
        message_zh=verdict.chinese,
        retryable=verdict.retryable,
        warnings=verdict.warnings,
    )


def _showable(record: record_pb2.AccessRecord) -> str:
    """The record's id, unless it is no id or gives the plate away."""
    record_id = record.record_id
    return record_id if ids.is_vendor_id(record_id) and not id_reveals_plate(record_id, record.plate_number) else ""


def stored_record(logged: record_pb2.LoggedRecord) -> record_pb2.StoredRecord:
    """A record as the platform holds it."""
    stated = {name: getattr(logged, name) for name in _STATED if _is_stated(logged, name)}
    return record_pb2.StoredRecord(
        record=record_pb2.AccessRecord(**stated),
        accept_time=time_of(logged.accept_ms),
        delay_ms=max(-(2**31), min(2**31 - 1, logged.accept_ms - logged.event_ms)),
        digest=logged.digest.hex(),
        warnings=logged.warnings,
        vendor_id=logged.vendor_id,
    )


def _is_stated(logged: record_pb2.LoggedRecord, name: str) -> bool:
    field = record_pb2.LoggedRecord.DESCRIPTOR.fields_by_name[name]
    return logged.HasField(cast(Any, name)) if field.has_presence else bool(getattr(logged, name))
