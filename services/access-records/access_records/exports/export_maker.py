"""Makes the files of approved exports, one after the other, and lets them go when their time is over."""

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from eventlog import LogFull, LogUnavailable, Outcome
from history.errors import HistoryRejected, HistoryUnavailable
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.access.v1 import export_pb2
from parkmesh.access.v1.journal_pb2 import ExportEvent, JournalEntry

from access_records.exports import sheets
from access_records.exports.export_book import ExportBook, Known
from access_records.exports.export_rows import ExportRows
from access_records.exports.views import VIEWS
from access_records.journal import Journal
from access_records.progress import Progress

_log = logging.getLogger(__name__)
_MADE: Final = "made"
_KIND: Final = "export_event"
_LOOK_S: Final = 60.0
_MOST_ATTEMPTS: Final = 5


class ExportMaker:
    """Makes the files. What was begun and not noted as made is done again after a restart: a file counts only from the
    moment its completion is noted, and several processes may share the folder.
    """

    def __init__(
        self,
        book: ExportBook,
        journal: Journal,
        rows: ExportRows,
        progress: Progress,
        folder: Path,
        keep_ms: int,
        clock: Clock,
        reserve: int,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """`keep_ms`: for how long a file is kept; `reserve`: bytes that must remain free in the folder."""
        self._book = book
        self._journal = journal
        self._rows = rows
        self._progress = progress
        self._folder = folder
        self._keep_ms = keep_ms
        self._clock = clock
        self._reserve = reserve
        self._free = free

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Works until cancelled; waits while the log or ClickHouse is away."""
        await self._book.loaded.wait()
        while True:
            self._book.changed.clear()
            for known in self._waiting():
                try:
                    await self.make(known)
                except (HistoryUnavailable, LogUnavailable, LogFull, MeshError) as away:
                    _log.warning("an export waits: %s", type(away).__name__)
                    await pause(2.0**known.attempts)
                    self._book.changed.set()
            await asyncio.to_thread(self.sweep)
            self._book.forget(self._clock.now_ms())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._book.changed.wait()

    async def make(self, known: Known) -> None:
        """Makes the file of an approved export and notes it, or why there will be none."""
        with self._alone(known) as mine:
            if not mine or known.outcome:
                return
            key = f"{known.request.export_id}:{_MADE}"
            # It may have been noted by an answer that never came: then the file is there, and another one is not it.
            if noted := await self._journal.noted(_KIND, key):
                self._book.apply(noted)
                return
            known.running, known.rows_done = True, 0
            try:
                event = await self._made(known)
            except HistoryUnavailable:
                if not await self._is_hopeless(known):
                    raise
                event = _failed(export_pb2.EXPORT_FAILURE_PLATFORM)
            except (HistoryRejected, OSError, ValueError, KeyError) as error:
                _log.error("an export failed", exc_info=error)
                event = _failed(export_pb2.EXPORT_FAILURE_PLATFORM)
            finally:
                known.running = False
                self._part(known).unlink(missing_ok=True)
            event.export_id, event.event_id = known.request.export_id, _MADE
            event.note_ms = self._clock.now_ms()
            entry = JournalEntry(export_event=event, note_ms=event.note_ms)
            digest = hashlib.sha256(entry.SerializeToString(deterministic=True)).digest()
            outcome = await self._journal.note(key, entry, digest)
            noted = entry if outcome is Outcome.ACCEPTED else await self._journal.noted(_KIND, key)
            self._keep(known, event, noted)
            if noted:
                self._book.apply(noted)

    def sweep(self) -> None:
        """Removes the files whose time is over."""
        now_ms = self._clock.now_ms()
        for known in list(self._book.all()):
            if known.state(now_ms) == export_pb2.EXPORT_STATE_EXPIRED:
                self._path(known).unlink(missing_ok=True)

    def _keep(self, known: Known, made: ExportEvent, noted: JournalEntry | None) -> None:
        """Keeps of this file and the one before it that which is noted."""
        before = self._before(known)
        if noted and noted.export_event.digest != made.digest and before.is_file():
            before.replace(self._path(known))
        before.unlink(missing_ok=True)

    async def _is_hopeless(self, known: Known) -> bool:
        """Whether its rows could not be read so often, though ClickHouse answers otherwise, that it is given up."""
        try:
            await self._rows.history.ping()
        except HistoryUnavailable:
            return False
        known.attempts += 1
        return known.attempts >= _MOST_ATTEMPTS

    async def _made(self, known: Known) -> ExportEvent:
        request, now_ms = known.request, self._clock.now_ms()
        try:
            lots = self._rows.lots(request, now_ms)
        except MeshError as refused:
            if refused.retryable:
                raise
            return _failed(export_pb2.EXPORT_FAILURE_NOT_ALLOWED)
        if not lots:
            return _failed(export_pb2.EXPORT_FAILURE_NOT_ALLOWED)
        as_of_ms = await self._progress.all_complete_until_ms(now_ms)
        known.rows_total = await self._rows.count(request, lots)
        is_xlsx = request.format == export_pb2.EXPORT_FORMAT_XLSX
        types = dict(await self._rows.columns(VIEWS[request.view]))
        part = self._part(known)
        columns = [(column, types[column]) for column in request.columns]
        sheet = await asyncio.to_thread(sheets.opened, part, request.format, columns)
        try:
            async for block in self._rows.blocks(request, lots):
                if await asyncio.to_thread(self._free, self._folder) < self._reserve:
                    return _failed(export_pb2.EXPORT_FAILURE_NO_SPACE)
                known.rows_done += len(block)
                if is_xlsx and known.rows_done > sheets.MOST_XLSX_ROWS:
                    return _failed(export_pb2.EXPORT_FAILURE_TOO_MANY_ROWS)
                await _whole(sheet.write, block)
            await _whole(sheet.close)
        finally:
            sheet.abandon()
        digest = await asyncio.to_thread(_durable, part)
        size = part.stat().st_size
        with contextlib.suppress(FileNotFoundError):
            self._path(known).replace(self._before(known))
        part.replace(self._path(known))
        return ExportEvent(
            event=export_pb2.EXPORT_EVENT_KIND_READY,
            rows=known.rows_done,
            bytes=size,
            digest=digest,
            expire_ms=self._clock.now_ms() + self._keep_ms,
            as_of_ms=as_of_ms,
        )

    def _waiting(self) -> list[Known]:
        approved = [known for known in self._book.all() if known.decision and known.decision.approved]
        return sorted((known for known in approved if known.outcome is None), key=lambda known: known.decision_ms())

    def _path(self, known: Known) -> Path:
        return self._folder / f"{known.request.export_id}.{sheets.SUFFIXES[known.request.format]}"

    def _part(self, known: Known) -> Path:
        return self._path(known).with_suffix(".part")

    def _before(self, known: Known) -> Path:
        return self._path(known).with_suffix(".before")

    @contextlib.contextmanager
    def _alone(self, known: Known) -> Iterator[bool]:
        """Whether nobody else makes this file now; the lock ends with the process that holds it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / f"{known.request.export_id}.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True
            Path(lock.name).unlink(missing_ok=True)


def _failed(failure: export_pb2.ExportFailure.ValueType) -> ExportEvent:
    return ExportEvent(event=export_pb2.EXPORT_EVENT_KIND_FAILED, failure=failure)


async def _whole(work: Callable[..., None], *given: Any) -> None:
    """Does the work in a thread, and to its end even when cancelled: a file is never closed while it is written."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _durable(path: Path) -> bytes:
    """The file's digest, once it is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").digest()
