"""The load's own books: what was sent, what became of it as far as anybody said, what must then be stored and hold."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from access_records.records.revisions import digest_of, revised_of
from access_records.records.state import MOST_REVISIONS
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

_STORED = {messages.OUTCOME_ACCEPTED, messages.OUTCOME_DUPLICATE}


class Fate(Enum):
    """What the platform has said of a record."""

    UNKNOWN = auto()
    """An answer is missing: it may be stored, at most once."""
    ACKED = auto()
    """ACCEPTED or DUPLICATE: it is stored, exactly once."""
    REFUSED = auto()
    """Every answer said that it was not stored."""


Sent = record_pb2.AccessRecord | revision_pb2.RecordRevision
"""What the load sends."""


def key_of(sent: Sent) -> str:
    """Under what the platform takes it once: a record by its id, a revision by that of its record and its number."""
    if isinstance(sent, revision_pb2.RecordRevision):
        return f"{sent.record_id}#{sent.revision}"
    return sent.record_id


class Stored(NamedTuple):
    """What a projection holds of one record or revision."""

    key: str
    lot_id: str
    event_ms: int
    plate: str
    digest: str


@dataclass
class Books:
    """What one load did."""

    sent: dict[str, Sent] = field(default_factory=dict)
    """By key."""
    answered: Counter[str] = field(default_factory=Counter)
    """Records by the outcome of their uploads, or by the status of the whole call's refusal."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Records that were not stored, by reason."""
    _held: dict[Fate, dict[str, None]] = field(default_factory=lambda: {fate: {} for fate in Fate})
    _open: Counter[str] = field(default_factory=Counter)

    def send(self, records: Sequence[Sent]) -> None:
        """Notes that the records are on their way: from now on each may be stored."""
        for record in records:
            key = key_of(record)
            self.sent[key] = record
            self._open[key] += 1
            self._judge(key)

    def answer(self, records: Sequence[Sent], answer: messages.UploadRecordsResponse) -> None:
        """Notes the answer to a batch."""
        items = {item.index: item for item in answer.items}
        for index, record in enumerate(records):
            item = items.get(index)
            outcome = item.outcome if item else messages.OUTCOME_ACCEPTED
            reason = item.reason if item else reasons.ERROR_REASON_UNSPECIFIED
            self.answered[messages.Outcome.Name(outcome)] += 1
            if reason:
                self.reasons[reasons.ErrorReason.Name(reason)] += 1
            if outcome in _STORED:
                self._judge(key_of(record), acknowledged=True)
            elif reason != reasons.ERROR_REASON_LOG_UNAVAILABLE:
                self._open[key_of(record)] -= 1
                self._judge(key_of(record))

    def refuse(self, records: Sequence[Sent], status: str, *, nothing_stored: bool) -> None:
        """Notes that a whole batch was refused, or not answered at all."""
        self.answered[status] += len(records)
        for record in records if nothing_stored else ():
            self._open[key_of(record)] -= 1
            self._judge(key_of(record))

    def fate(self, key: str) -> Fate | None:
        """What became of it; None when it was never sent."""
        return next((fate for fate, held in self._held.items() if key in held), None)

    def with_fate(self, fate: Fate) -> list[str]:
        """The keys with this fate, those that came to it last at the end."""
        return list(self._held[fate])

    def count(self, fate: Fate) -> int:
        """How many have this fate."""
        return len(self._held[fate])

    def _judge(self, key: str, *, acknowledged: bool = False) -> None:
        if key in self._held[Fate.ACKED]:
            return
        fate = Fate.ACKED if acknowledged else Fate.UNKNOWN if self._open[key] else Fate.REFUSED
        for held in self._held.values():
            held.pop(key, None)
        self._held[fate][key] = None


def faults(books: Books, stored: Iterable[Stored]) -> list[str]:
    """Where a projection contradicts the books: what is lost, there twice, never sent, refused, or changed."""
    seen: Counter[str] = Counter()
    found = []
    for one in stored:
        seen[one.key] += 1
        sent = books.sent.get(one.key)
        if sent is None:
            found.append(f"{one.key} was never sent")
        elif books.fate(one.key) is Fate.REFUSED:
            found.append(f"{one.key} was refused, and is stored")
        elif not _is_as_sent(one, sent):
            found.append(f"{one.key} is not what was sent")
    found += [f"{key} is stored {times} times" for key, times in seen.items() if times > 1]
    found += [f"{key} was acknowledged, and is lost" for key in books.with_fate(Fate.ACKED) if not seen[key]]
    return found


def _is_as_sent(one: Stored, sent: Sent) -> bool:
    if isinstance(sent, revision_pb2.RecordRevision):
        return (one.lot_id, one.digest.lower()) == (sent.lot_id, digest_of(revised_of(sent)).hex())
    return (one.lot_id, one.event_ms, one.plate) == (
        sent.lot_id,
        sent.event_time.ToMilliseconds(),
        sent.plate_number,
    )


def holding(books: Books, keys: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Of each record of which these were stored: its event time and plate by all of its revisions; void ones lack."""
    stored = set(keys)
    found = {}
    for key in stored:
        if "#" in key:
            continue
        record = books.sent[key]
        assert isinstance(record, record_pb2.AccessRecord)
        event_ms, plate, void = record.event_time.ToMilliseconds(), record.plate_number, False
        for number in range(1, MOST_REVISIONS + 1):
            revision = books.sent.get(f"{key}#{number}") if f"{key}#{number}" in stored else None
            if not isinstance(revision, revision_pb2.RecordRevision):
                continue
            if revision.kind == record_pb2.REVISION_KIND_CORRECTION:
                if "event_time" in revision.update_mask.paths:
                    event_ms = revision.changes.event_time.ToMilliseconds()
                if "plate_number" in revision.update_mask.paths:
                    plate = revision.changes.plate_number
            else:
                void = revision.kind == record_pb2.REVISION_KIND_VOID
        if not void:
            found[key] = (event_ms, plate)
    return found
