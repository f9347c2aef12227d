"""The gRPC face of revisions: convert, revise, convert."""

from collections.abc import Sequence

from directory import Directory
from mesh import caller
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.errors import FieldViolation, MeshError
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.records import answers
from access_records.records.reading import Reading
from access_records.records.revise import Revisions
from access_records.records.taking import READERS, log_refusals, masked, reporter, unknown_fields
from access_records.records.verdict import STORED, Verdict

_UNREAD = frozenset(
    {
        reasons.ERROR_REASON_RECORD_NOT_FOUND,
        reasons.ERROR_REASON_HISTORY_UNAVAILABLE,
        reasons.ERROR_REASON_LOG_UNAVAILABLE,
    }
)


class RevisionMethods:
    """Corrections, voids and reinstatements over gRPC; a part of AccessRecordServicer."""

    _revisions: Revisions
    _reading: Reading
    _directory: Directory
    _clock: Clock

    async def UploadRevisions(
        self, request: messages.UploadRevisionsRequest, context: Context
    ) -> messages.UploadRecordsResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        now_ms = self._clock.now_ms()
        verdicts = await self._revise(request.revisions, now_ms)
        return answers.revisions_answer(request.revisions, verdicts, now_ms, unknown_fields(context))

    async def CorrectRecord(
        self, request: messages.CorrectRecordRequest, context: Context
    ) -> messages.ReviseRecordResponse:
        """See the proto."""
        return await self._revise_one(
            revision_pb2.RecordRevision(
                lot_id=request.lot_id,
                record_id=request.record_id,
                revision=request.revision,
                kind=record_pb2.REVISION_KIND_CORRECTION,
                changes=request.changes,
                update_mask=request.update_mask,
                reason=request.reason,
                reason_text=request.reason_text,
                author=request.author,
                evidence_ids=request.evidence_ids,
                made_time=request.made_time,
            ),
            request.etag,
        )

    async def VoidRecord(self, request: messages.VoidRecordRequest, context: Context) -> messages.ReviseRecordResponse:
        """See the proto."""
        kind = record_pb2.REVISION_KIND_REINSTATEMENT if request.reinstate else record_pb2.REVISION_KIND_VOID
        return await self._revise_one(
            revision_pb2.RecordRevision(
                lot_id=request.lot_id,
                record_id=request.record_id,
                revision=request.revision,
                kind=kind,
                reason=request.reason,
                reason_text=request.reason_text,
                author=request.author,
                evidence_ids=request.evidence_ids,
                made_time=request.made_time,
            ),
            request.etag,
        )

    async def ListRevisions(
        self, request: messages.ListRevisionsRequest, context: Context
    ) -> messages.ListRevisionsResponse:
        """See the proto."""
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        self._reading.require(caller.current(), request.lot_id, now_ms)
        reports = await self._reading.revisions(request.lot_id, request.record_id)
        return messages.ListRevisionsResponse(revisions=answers.stored_revisions(reports, masked=masked()))

    async def _revise(self, revisions: Sequence[revision_pb2.RecordRevision], now_ms: int) -> list[Verdict]:
        self._directory.require_fresh(now_ms)
        with log_refusals():
            return await self._revisions.upload(reporter(self._directory, now_ms), revisions, now_ms)

    async def _revise_one(self, revision: revision_pb2.RecordRevision, etag: str) -> messages.ReviseRecordResponse:
        revision.DiscardUnknownFields()
        now_ms = self._clock.now_ms()
        if etag:
            await self._require_etag(revision, etag, now_ms)
        (verdict,) = await self._revise([revision], now_ms)
        if verdict.outcome not in STORED:
            raise _refusal(verdict)
        if caller.current().kind not in READERS:
            return messages.ReviseRecordResponse(outcome=verdict.outcome, warnings=verdict.warnings)
        try:
            state = await self._reading.one(revision.lot_id, revision.record_id)
        except MeshError as unread:
            if unread.reason not in _UNREAD:
                raise
            return messages.ReviseRecordResponse(outcome=verdict.outcome, warnings=verdict.warnings)
        return messages.ReviseRecordResponse(
            outcome=verdict.outcome, warnings=verdict.warnings, record=answers.stored_record(state)
        )

    async def _require_etag(self, revision: revision_pb2.RecordRevision, etag: str, now_ms: int) -> None:
        """Raises ETAG_MISMATCH unless the record is as its author saw it, or this revision is what changed it."""
        self._directory.require_fresh(now_ms)
        if not self._directory.may_revise(caller.current(), revision.lot_id, now_ms):
            raise MeshError(
                reasons.ERROR_REASON_LOT_NOT_FOUND, "There is no such lot, or you may not revise its records."
            )
        state = await self._reading.one(revision.lot_id, revision.record_id)
        if state.etag != etag and state.record.revision < revision.revision:
            raise MeshError(
                reasons.ERROR_REASON_ETAG_MISMATCH,
                "The record was revised since you read it; nothing was changed. Read it again, then decide.",
                metadata={"etag": state.etag} if caller.current().kind in READERS else {},
            )


def _refusal(verdict: Verdict) -> MeshError:
    fields = [FieldViolation(verdict.field, "revision", verdict.message, verdict.chinese)] if verdict.field else []
    return MeshError(
        verdict.reason,
        f"{verdict.message[:1].upper()}{verdict.message[1:]}.",
        chinese=verdict.chinese,
        fields=fields,
        retry_after_ms=answers.RETRY_AFTER_MS if verdict.retryable else None,
    )
