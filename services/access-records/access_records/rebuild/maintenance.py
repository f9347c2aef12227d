"""The use cases of maintenance: asking for a rebuild of the history, and what came of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eventlog import LogError, LogFull, LogUnavailable
from history.client import HistoryClient
from history.errors import HistoryError
from mesh.errors import MeshError
from mesh.instants import time_of
from parkmesh.access.v1 import journal_pb2, rebuild_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.journal import Journal
from access_records.queries import query
from access_records.records.reading import history_unavailable, log_unavailable

_KIND: Final = "rebuild_request"
_RUNNING: Final = rebuild_pb2.REBUILD_STATE_RUNNING
ALL: Final = (
    rebuild_pb2.HISTORY_PROJECTION_CURRENT,
    rebuild_pb2.HISTORY_PROJECTION_PLATES,
    rebuild_pb2.HISTORY_PROJECTION_VISITS,
)
"""The projections in the order in which they are made."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Notes what is asked for in the journal, whence the history writer takes it, and reads what that one has noted."""

    journal: Journal
    history: HistoryClient
    new_id: Callable[[], str]

    async def rebuild(
        self, projection: rebuild_pb2.HistoryProjection.ValueType, *, check_only: bool, account_id: str, now_ms: int
    ) -> rebuild_pb2.Rebuild:
        """Asks for one; LOG_FULL or LOG_UNAVAILABLE when it cannot be noted."""
        request = journal_pb2.RebuildRequest(
            rebuild_id=self.new_id(), projection=projection, check_only=check_only, account_id=account_id
        )
        entry = journal_pb2.JournalEntry(rebuild_request=request, note_ms=now_ms)
        digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
        try:
            await self.journal.note(request.rebuild_id, entry, digest)
        except LogFull as full:
            raise MeshError(
                reasons.ERROR_REASON_LOG_FULL, "The log is full.", retry_after_ms=int(full.retry_after * 1000)
            ) from None
        except LogUnavailable:
            raise log_unavailable() from None
        return _rebuild(request.rebuild_id, check_only=check_only, note_ms=now_ms)

    async def one(self, rebuild_id: str) -> rebuild_pb2.Rebuild:
        """How far it has come; RESOURCE_NOT_FOUND when nobody asked for it, HISTORY_UNAVAILABLE, LOG_UNAVAILABLE."""
        asked = {"rebuild_id": rebuild_id}
        try:
            found = await self.history.rows(query("rebuild_request"), asked)
            if not found:
                return await self._noted(rebuild_id)
            ((projection, check_only, note_ms),) = found
            made = _rebuild(rebuild_id, check_only=check_only, note_ms=note_ms)
            parts: dict[int, rebuild_pb2.ProjectionRebuild] = {}
            for number, state, rows, different in await self.history.rows(query("rebuild_projections"), asked):
                parts[number] = made.projections.add(
                    projection=number, state=state, compared_rows=rows, different_lot_months=different
                )
            for number, lot_id, month, held, rebuilt, ids in await self.history.rows(
                query("rebuild_differences"), asked
            ):
                if number in parts:
                    parts[number].differences.add(
                        lot_id=lot_id, month=month, held_rows=held, rebuilt_rows=rebuilt, record_ids=ids
                    )
        except HistoryError:
            raise history_unavailable() from None
        except LogError:
            raise log_unavailable() from None
        if made.projections:
            states = [part.state for part in made.projections]
            done = len(states) == (len(ALL) if not projection else 1) and _RUNNING not in states
            made.state = max(states) if done else _RUNNING
        return made

    async def _noted(self, rebuild_id: str) -> rebuild_pb2.Rebuild:
        entry = await self.journal.noted(_KIND, rebuild_id)
        if entry is None:
            raise MeshError(reasons.ERROR_REASON_RESOURCE_NOT_FOUND, "There is no such rebuild.")
        return _rebuild(rebuild_id, check_only=entry.rebuild_request.check_only, note_ms=entry.note_ms)


def _rebuild(rebuild_id: str, *, check_only: bool, note_ms: int) -> rebuild_pb2.Rebuild:
    return rebuild_pb2.Rebuild(
        rebuild_id=rebuild_id,
        state=rebuild_pb2.REBUILD_STATE_REQUESTED,
        check_only=check_only,
        request_time=time_of(note_ms),
    )
