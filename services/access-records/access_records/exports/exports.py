"""The use cases of exports: ask, decide, show, take (R7.4)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from eventlog import LogFull, LogUnavailable, Outcome
from google.protobuf.message import Message
from mesh.caller import Caller, CallerKind
from mesh.clock import Ids
from mesh.errors import MeshError
from parkmesh.access.v1 import export_pb2
from parkmesh.access.v1.export_service_pb2 import RequestExportRequest
from parkmesh.access.v1.journal_pb2 import ExportDecision, ExportEvent, ExportRequest, JournalEntry
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.exports import sheets
from access_records.exports.export_book import ExportBook, Known, same
from access_records.exports.export_rows import ExportRows
from access_records.exports.views import VIEWS, allowed
from access_records.journal import Journal
from access_records.records.reading import history_unavailable, log_unavailable, lot_not_found
from access_records.statistics import scope
from access_records.turns import Turns

_CHUNK: Final = 256 * 1024
_LOADED_S: Final = 5.0
_OPEN_RETRY_MS: Final = 60_000
_ALL_SEEING: Final = frozenset({CallerKind.SUPERVISOR, CallerKind.ADMINISTRATOR, CallerKind.AUDIT_ADMINISTRATOR})


class File(NamedTuple):
    """A file to be taken."""

    name: str
    content_type: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Exports:
    """Exports for callers. HistoryError and LogUnavailable when either is away."""

    book: ExportBook
    journal: Journal
    rows: ExportRows
    folder: Path
    ids: Ids
    turns: Turns
    most_open: int
    """Most exports of one requester that are neither made nor refused."""

    async def request(self, caller: Caller, asked: RequestExportRequest, now_ms: int) -> export_pb2.Export:
        """Notes what is asked for and gives it, REQUESTED; the same again under one request id asks once."""
        await self._loaded()
        export_id = self._export_id(caller, asked.request_id)
        if known := self.book.get(export_id):
            return known.told(now_ms)
        view = VIEWS[asked.view]
        columns = allowed([name for name, _ in await self.rows.columns(view)], caller.kind)
        for number, column in enumerate(asked.columns):
            if column not in columns:
                raise scope.refused(
                    f"columns[{number}]",
                    "export.column",
                    "must be a column of the view that you may export: " + ", ".join(columns),
                    "须为该视图中可导出的列：" + "、".join(columns),
                )
        request = ExportRequest(
            export_id=export_id,
            view=asked.view,
            format=asked.format,
            lot_ids=asked.lot_ids,
            columns=asked.columns or columns,
            purpose=asked.purpose,
            kind=caller.kind.value,
            subject_id=caller.subject,
            account_id=caller.account,
            client_id=caller.credential,
            note_ms=now_ms,
        )
        if view.time:
            request.start_ms, request.end_ms = scope.days(asked.start_date, asked.end_date)
        elif asked.start_date or asked.end_date:
            raise scope.refused(
                "startDate", "export.days", "must be left out: this view has no days", "请不要填写：该视图不分日期"
            )
        lots = self.rows.lots(request, now_ms)
        async with self.turns.turn(caller):
            return await self._noted(caller, request, lots, now_ms)

    async def _noted(
        self, caller: Caller, request: ExportRequest, lots: Sequence[str], now_ms: int
    ) -> export_pb2.Export:
        open_ones = sum(known.is_of(caller) and known.is_open(now_ms) for known in self.book.all())
        if open_ones >= self.most_open and not self.book.get(request.export_id):
            raise MeshError(
                reasons.ERROR_REASON_RATE_LIMITED,
                f"{open_ones} exports of yours are neither made nor refused yet: wait for these.",
                retry_after_ms=_OPEN_RETRY_MS,
            )
        request.rows = await self.rows.count(request, lots)
        if request.format == export_pb2.EXPORT_FORMAT_XLSX and request.rows > sheets.MOST_XLSX_ROWS:
            raise scope.refused(
                "format",
                "export.rows",
                f"must be CSV or PARQUET for {request.rows} rows: a sheet holds {sheets.MOST_XLSX_ROWS}",
                f"共 {request.rows} 行，超过工作表上限 {sheets.MOST_XLSX_ROWS} 行：请选用 CSV 或 PARQUET",
            )
        if self.book.get(request.export_id) is None:
            await self._note(request.export_id, JournalEntry(export_request=request, note_ms=now_ms))
        known = self.book.get(request.export_id)
        if known is None:
            raise log_unavailable()
        return known.told(now_ms)

    async def decide(
        self, caller: Caller, export_id: str, *, approved: bool, remark: str, now_ms: int
    ) -> export_pb2.Export:
        """Notes the decision; SECOND_PERSON_REQUIRED for who asked, STATE_NOT_ALLOWED once there is another one;
        the same again by the same person is noted once.
        """
        known = await self._visible(caller, export_id)
        if same(known.requester(), caller):
            raise MeshError(
                reasons.ERROR_REASON_SECOND_PERSON_REQUIRED, "Who asked for an export cannot decide about it."
            )
        if known.decision is None:
            decision = ExportDecision(
                export_id=export_id,
                approved=approved,
                remark=remark,
                kind=caller.kind.value,
                subject_id=caller.subject,
                account_id=caller.account,
                client_id=caller.credential,
                note_ms=now_ms,
            )
            await self._note(export_id, JournalEntry(export_decision=decision, note_ms=now_ms))
        held = known.decision
        if held is None:
            raise log_unavailable()
        decider = Caller(CallerKind(held.kind), held.subject_id, held.client_id, held.account_id)
        if same(decider, caller) and (held.approved, held.remark) == (approved, remark):
            return known.told(now_ms)
        raise MeshError(reasons.ERROR_REASON_STATE_NOT_ALLOWED, "The export has been decided about.")

    async def one(self, caller: Caller, export_id: str, now_ms: int) -> export_pb2.Export:
        """The export."""
        return (await self._visible(caller, export_id)).told(now_ms)

    async def page(
        self, caller: Caller, states: Set[int], after: tuple[int, str] | None, limit: int, now_ms: int
    ) -> list[export_pb2.Export]:
        """The first exports behind (note_ms, id), the newest first."""
        await self._loaded()
        found = [
            ((-known.request.note_ms, known.request.export_id), known)
            for known in self.book.all()
            if self._sees(caller, known) and (not states or known.state(now_ms) in states)
        ]
        behind = None if after is None else (-after[0], after[1])
        ordered = sorted((place, known) for place, known in found if behind is None or place > behind)
        return [known.told(now_ms) for _, known in ordered[:limit]]

    async def download(self, caller: Caller, export_id: str, now_ms: int) -> File:
        """The file, once it is noted who takes it; STATE_NOT_ALLOWED unless it is READY, LOT_NOT_FOUND when its lots
        are in the requester's sight no more.
        """
        known = await self._visible(caller, export_id)
        asked = known.requester()
        if not known.is_of(caller) or (caller.kind, caller.subject) != (asked.kind, asked.subject):
            raise _not_found()
        if known.state(now_ms) != export_pb2.EXPORT_STATE_READY:
            raise MeshError(reasons.ERROR_REASON_STATE_NOT_ALLOWED, "The export is not ready to be downloaded.")
        if not self.rows.lots(known.request, now_ms):
            raise lot_not_found()
        path = self.folder / f"{export_id}.{sheets.SUFFIXES[known.request.format]}"
        if not await asyncio.to_thread(path.is_file):
            raise MeshError(
                reasons.ERROR_REASON_SERVICE_UNAVAILABLE, "The file is not at hand now.", retry_after_ms=5_000
            )
        taken = ExportEvent(
            export_id=export_id,
            event_id=self.ids.new("download"),
            event=export_pb2.EXPORT_EVENT_KIND_DOWNLOADED,
            account_id=caller.account,
            client_id=caller.credential,
            note_ms=now_ms,
        )
        await self._note(f"{export_id}:{taken.event_id}", JournalEntry(export_event=taken, note_ms=now_ms))
        return File(path.name, sheets.CONTENT_TYPES[known.request.format], _chunks(path))

    async def _note(self, key: str, entry: JournalEntry) -> None:
        """Notes the entry unless there is one under its key; the book knows then which one holds."""
        held: JournalEntry | None = entry
        try:
            if await self.journal.note(key, entry, _digest(entry)) is not Outcome.ACCEPTED:
                held = await self.journal.noted(entry.WhichOneof("entry") or "", key)
        except (LogFull, LogUnavailable):
            raise log_unavailable() from None
        if held:
            self.book.apply(held)

    def _export_id(self, caller: Caller, request_id: str) -> str:
        if not request_id:
            return self.ids.new("export")
        named = "\n".join((caller.kind.value, caller.account or caller.credential, request_id))
        return f"export-{hashlib.sha256(named.encode()).hexdigest()[:32]}"

    async def _loaded(self) -> None:
        try:
            async with asyncio.timeout(_LOADED_S):
                await self.book.loaded.wait()
        except TimeoutError:
            raise history_unavailable() from None

    async def _visible(self, caller: Caller, export_id: str) -> Known:
        await self._loaded()
        known = self.book.get(export_id)
        if known is None or not self._sees(caller, known):
            raise _not_found()
        return known

    def _sees(self, caller: Caller, known: Known) -> bool:
        return caller.kind in _ALL_SEEING or known.is_of(caller)


def _not_found() -> MeshError:
    return MeshError(reasons.ERROR_REASON_RESOURCE_NOT_FOUND, "There is no such export, or you may not see it.")


def _digest(entry: JournalEntry) -> bytes:
    """Of what was said, not of when, nor of how many rows there were: said again, it is the same."""
    said = JournalEntry.FromString(entry.SerializeToString())
    kind = said.WhichOneof("entry") or ""
    said.ClearField("note_ms")
    told: Message = getattr(said, kind)
    told.ClearField("note_ms")
    if kind == "export_request":
        told.ClearField("rows")
    return hashlib.sha256(said.SerializeToString(deterministic=True)).digest()


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
    finally:
        file.close()
