"""All exports as the journal tells of them: read from the history once, then followed in the log."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from eventlog import EventLog, LogUnavailable, Position, TrimmedBehind
from history.client import HistoryClient
from history.errors import HistoryError
from history.positions import Positions
from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from parkmesh.access.v1 import export_pb2
from parkmesh.access.v1.journal_pb2 import ExportDecision, ExportEvent, ExportRequest, JournalEntry
from vocabulary import beijing

from access_records.journal import JOURNAL
from access_records.queries import query

_log = logging.getLogger(__name__)
_BLOCK_MS: Final = 1_000
_RETRY_S: Final = 1.0
_REMEMBERED_MS: Final = 30 * beijing.DAY_MS
_OPEN: Final = frozenset(
    {export_pb2.EXPORT_STATE_REQUESTED, export_pb2.EXPORT_STATE_APPROVED, export_pb2.EXPORT_STATE_RUNNING}
)
_KINDS: Final = ("export_request", "export_decision", "export_event")


@dataclass(slots=True)
class Known:
    """What is known of one export."""

    request: ExportRequest
    decision: ExportDecision | None = None
    outcome: ExportEvent | None = None
    """READY or FAILED."""
    downloads: set[str] = field(default_factory=set)
    """The ids of these events."""
    running: bool = False
    """Whether this process is writing the file."""
    rows_done: int = 0
    attempts: int = 0
    """How often its rows could not be read though ClickHouse answered otherwise."""
    rows_total: int | None = None
    """Counted when the file was begun; None before."""

    def state(self, now_ms: int) -> export_pb2.ExportState.ValueType:
        """Where it stands."""
        if self.decision is None:
            return export_pb2.EXPORT_STATE_REQUESTED
        if not self.decision.approved:
            return export_pb2.EXPORT_STATE_REJECTED
        if self.outcome is None:
            return export_pb2.EXPORT_STATE_RUNNING if self.running else export_pb2.EXPORT_STATE_APPROVED
        if self.outcome.event == export_pb2.EXPORT_EVENT_KIND_FAILED:
            return export_pb2.EXPORT_STATE_FAILED
        return export_pb2.EXPORT_STATE_READY if now_ms < self.outcome.expire_ms else export_pb2.EXPORT_STATE_EXPIRED

    def is_open(self, now_ms: int) -> bool:
        """Whether there is more to come: it is neither made nor refused."""
        return self.state(now_ms) in _OPEN

    def over_ms(self, now_ms: int) -> int | None:
        """Since when it is over, with nothing to be taken; None while it is not."""
        if self.decision and not self.decision.approved:
            return self.decision.note_ms
        if self.outcome is None or self.state(now_ms) == export_pb2.EXPORT_STATE_READY:
            return None
        return max(self.outcome.expire_ms, self.outcome.note_ms)

    def decision_ms(self) -> int:
        """When it was decided; 0 before."""
        return self.decision.note_ms if self.decision else 0

    def requester(self) -> Caller:
        """Who asked."""
        asked = self.request
        return Caller(CallerKind(asked.kind), asked.subject_id, asked.client_id, asked.account_id)

    def is_of(self, caller: Caller) -> bool:
        """Whether this caller asked: the same person, or the same software."""
        return same(self.requester(), caller)

    def told(self, now_ms: int) -> export_pb2.Export:
        """As callers are told of it."""
        asked = self.request
        made = export_pb2.Export(
            export_id=asked.export_id,
            state=self.state(now_ms),
            view=asked.view,
            format=asked.format,
            lot_ids=asked.lot_ids,
            columns=asked.columns,
            purpose=asked.purpose,
            subject_id=asked.subject_id,
            account_id=asked.account_id,
            create_time=time_of(asked.note_ms),
            rows_done=self.rows_done,
            rows_total=asked.rows if self.rows_total is None else self.rows_total,
            downloads=len(self.downloads),
        )
        if asked.end_ms:
            made.start_date = beijing.day_key(asked.start_ms)
            made.end_date = beijing.day_key(asked.end_ms - 1)
        if self.decision:
            made.decided_by = self.decision.account_id or self.decision.client_id
            made.remark = self.decision.remark
            made.decide_time.CopyFrom(time_of(self.decision.note_ms))
        if self.outcome:
            made.failure = self.outcome.failure
        if self.outcome and self.outcome.event == export_pb2.EXPORT_EVENT_KIND_READY:
            made.rows_done = made.rows_total = self.outcome.rows
            made.bytes, made.digest = self.outcome.bytes, self.outcome.digest.hex()
            made.expire_time.CopyFrom(time_of(self.outcome.expire_ms))
            made.as_of_time.CopyFrom(time_of(self.outcome.as_of_ms))
        return made


class ExportBook:
    """Every export; of two entries of a kind the one noted first holds."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._early: dict[str, list[JournalEntry]] = {}
        self.loaded = asyncio.Event()
        """Set once it has read all that was noted before."""
        self.changed = asyncio.Event()
        """Set by every entry; whoever waits for it clears it."""

    def get(self, export_id: str) -> Known | None:
        """The export; None when there is none."""
        return self._known.get(export_id)

    def all(self) -> Iterable[Known]:
        """All of them, in no order."""
        return self._known.values()

    def apply(self, entry: JournalEntry) -> None:
        """Takes an entry of the journal in; again, it changes nothing."""
        kind = entry.WhichOneof("entry")
        if kind not in _KINDS:
            return
        told: Any = getattr(entry, kind)
        if kind == "export_request":
            self._known.setdefault(told.export_id, Known(told))
            for early in self._early.pop(told.export_id, ()):
                self.apply(early)
        elif (known := self._known.get(told.export_id)) is None:
            self._early.setdefault(told.export_id, []).append(entry)
        elif kind == "export_decision":
            known.decision = known.decision or told
        elif told.event == export_pb2.EXPORT_EVENT_KIND_DOWNLOADED:
            known.downloads.add(told.event_id)
        else:
            known.outcome = known.outcome or told
        self.changed.set()

    def forget(self, now_ms: int) -> None:
        """Lets go of what was over a month ago; the history keeps it."""
        for export_id, known in list(self._known.items()):
            over_ms = known.over_ms(now_ms)
            if over_ms is not None and over_ms + _REMEMBERED_MS < now_ms:
                del self._known[export_id]

    async def follow(
        self, log: EventLog, history: HistoryClient, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Reads on until cancelled; waits while the log or ClickHouse is away."""
        after: Position | None = None
        while True:
            try:
                if after is None:
                    after = await self._load(log, history)
                entries = await log.read(after, block_ms=_BLOCK_MS if self.loaded.is_set() else 0)
                for entry in entries:
                    for payload in entry.payloads:
                        self.apply(JournalEntry.FromString(payload))
                    after = entry.position
                if not entries:
                    self.loaded.set()
            except (HistoryError, LogUnavailable, TrimmedBehind) as away:
                _log.warning("exports wait: %s", type(away).__name__)
                after = None
                await pause(_RETRY_S)

    async def _load(self, log: EventLog, history: HistoryClient) -> Position:
        # Asked first: what is drained in between is in the rows already, and is read again.
        offsets = await Positions(history, JOURNAL).read(log.epoch)
        for kind in _KINDS:
            for row in await history.rows(query(f"{kind}s")):
                self.apply(_entry(kind, row))
        return Position(log.epoch, 0, offsets.get(0, 0))


def same(one: Caller, other: Caller) -> bool:
    """Whether two callers are one person, or one software."""
    return (one.account or one.credential) == (other.account or other.credential)


def _entry(kind: str, row: tuple[Any, ...]) -> JournalEntry:
    entry = JournalEntry()
    message: Any = getattr(entry, kind)
    names = [field.name for field in message.DESCRIPTOR.fields if not field.name.startswith("log_")]
    values = dict(zip(names, row, strict=True))
    if "digest" in values:
        values["digest"] = bytes.fromhex(values["digest"])
    message.CopyFrom(type(message)(**values))
    entry.note_ms = message.note_ms
    return entry
