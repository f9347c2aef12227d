"""The load's own books: what was sent, what became of it as far as anybody said, and what must then be stored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
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


class Stored(NamedTuple):
    """What a projection holds of one record."""

    record_id: str
    lot_id: str
    event_ms: int
    plate: str
    digest: str


@dataclass
class Books:
    """What one load did."""

    sent: dict[str, record_pb2.AccessRecord] = field(default_factory=dict)
    """By record id."""
    answered: Counter[str] = field(default_factory=Counter)
    """Records by the outcome of their uploads, or by the status of the whole call's refusal."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Records that were not stored, by reason."""
    _held: dict[Fate, dict[str, None]] = field(default_factory=lambda: {fate: {} for fate in Fate})
    _open: Counter[str] = field(default_factory=Counter)

    def send(self, records: Sequence[record_pb2.AccessRecord]) -> None:
        """Notes that the records are on their way: from now on each may be stored."""
        for record in records:
            self.sent[record.record_id] = record
            self._open[record.record_id] += 1
            self._judge(record.record_id)

    def answer(self, records: Sequence[record_pb2.AccessRecord], answer: messages.UploadRecordsResponse) -> None:
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
                self._judge(record.record_id, acknowledged=True)
            elif reason != reasons.ERROR_REASON_LOG_UNAVAILABLE:
                self._open[record.record_id] -= 1
                self._judge(record.record_id)

    def refuse(self, records: Sequence[record_pb2.AccessRecord], status: str, *, nothing_stored: bool) -> None:
        """Notes that a whole batch was refused, or not answered at all."""
        self.answered[status] += len(records)
        for record in records if nothing_stored else ():
            self._open[record.record_id] -= 1
            self._judge(record.record_id)

    def fate(self, record_id: str) -> Fate | None:
        """The record's fate; None when it was never sent."""
        return next((fate for fate, held in self._held.items() if record_id in held), None)

    def with_fate(self, fate: Fate) -> list[str]:
        """The ids with this fate, those that came to it last at the end."""
        return list(self._held[fate])

    def count(self, fate: Fate) -> int:
        """How many have this fate."""
        return len(self._held[fate])

    def _judge(self, record_id: str, *, acknowledged: bool = False) -> None:
        if record_id in self._held[Fate.ACKED]:
            return
        fate = Fate.ACKED if acknowledged else Fate.UNKNOWN if self._open[record_id] else Fate.REFUSED
        for held in self._held.values():
            held.pop(record_id, None)
        self._held[fate][record_id] = None


def faults(books: Books, stored: Iterable[Stored]) -> list[str]:
    """Where a projection contradicts the books: what is lost, there twice, never sent, refused, or changed."""
    seen: Counter[str] = Counter()
    found = []
    for one in stored:
        seen[one.record_id] += 1
        sent = books.sent.get(one.record_id)
        if sent is None:
            found.append(f"{one.record_id} was never sent")
        elif books.fate(one.record_id) is Fate.REFUSED:
            found.append(f"{one.record_id} was refused, and is stored")
        elif (one.lot_id, one.event_ms, one.plate) != (
            sent.lot_id,
            sent.event_time.ToMilliseconds(),
            sent.plate_number,
        ):
            found.append(f"{one.record_id} is not what was sent")
    found += [f"{record_id} is stored {times} times" for record_id, times in seen.items() if times > 1]
    found += [
        f"{record_id} was acknowledged, and is lost" for record_id in books.with_fate(Fate.ACKED) if not seen[record_id]
    ]
    return found
