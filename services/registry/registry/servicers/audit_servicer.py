"""The audit trail."""

from typing import Any

from mesh.boundary import Context
from mesh.instants import time_of
from parkmesh.registry.v1 import audit_service_pb2 as messages
from parkmesh.registry.v1 import audit_service_pb2_grpc

from registry.history.audit import Audit, WantedActs
from registry.servicers.requests import instant, next_token, numbered_place
from registry.storage.acts import role_named


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """As the proto says, in every method."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def ListAuditEntries(
        self, request: messages.ListAuditEntriesRequest, context: Context
    ) -> messages.ListAuditEntriesResponse:
        """See the proto."""
        after, size = numbered_place(request)
        wanted = WantedActs(
            from_ms=instant(request, "from_time"),
            before_ms=instant(request, "before_time"),
            subject=request.subject,
            account_id=request.account_id,
            action=request.action,
            newest_first=request.newest_first,
        )
        found = await self._audit.list(wanted, after, size + 1)
        return messages.ListAuditEntriesResponse(
            entries=map(_entry, found[:size]),
            next_page_token=next_token(request, size, [str(row.number) for row in found]),
        )

    async def VerifyAuditTrail(
        self, request: messages.VerifyAuditTrailRequest, context: Context
    ) -> messages.VerifyAuditTrailResponse:
        """See the proto."""
        verdict = await self._audit.verify(request.known_number, request.known_hash)
        return messages.VerifyAuditTrailResponse(
            intact=not verdict.first_broken,
            entries=verdict.entries,
            changes=verdict.changes,
            first_broken=verdict.first_broken,
            problem=verdict.problem,
            problem_zh=verdict.problem_zh,
            head_hash=verdict.head_hash,
        )


def _entry(row: Any) -> messages.AuditEntry:
    return messages.AuditEntry(
        number=row.number,
        time=time_of(row.at_ms),
        action=row.action,
        target=row.target,
        role=role_named(row.role),
        subject=row.subject,
        account_id=row.account_id,
        client_id=row.client_id,
        outcome=messages.AuditOutcome.Value(f"AUDIT_OUTCOME_{row.outcome}"),
        refusal=row.refusal,
        first_revision=row.first_revision,
        last_revision=row.last_revision,
        changes_sha256=row.changes_sha256,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
