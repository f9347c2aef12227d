"""What comparisons leave in the journal: the fingerprint of each day that a vendor told, and the differences found."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar

from eventlog import LogFull, LogUnavailable
from parkmesh.access.v1 import journal_pb2
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from access_records.journal import Journal
from access_records.reconciliation.classify import Difference

_log = logging.getLogger(__name__)

_REMEMBERED: Final = 100_000
"""Days of lots that are remembered, so that what was noted is not noted again."""
_AGAIN_MS: Final = 10 * beijing.MINUTE_MS
"""After this long the same fingerprint of a day is noted again, with its new time."""

Day = tuple[str, int]
"""A lot, and where its Beijing day begins."""
Value = TypeVar("Value")


class Told(NamedTuple):
    """The fingerprints of a day that were compared."""

    day: Bounds
    vendor: Fingerprint
    platform: Fingerprint


class Notes:
    """Notes what comparisons find; a journal that is away costs the note, never the answer.

    What is noted is bounded: of a day the same fingerprints once in ten minutes, and so many differences.
    """

    def __init__(self, journal: Journal, most_differences: int) -> None:
        """`most_differences`: of one lot and day, by this process."""
        self._journal = journal
        self._most = most_differences
        self._told: OrderedDict[Day, tuple[Told, int]] = OrderedDict()
        self._found: OrderedDict[Day, set[bytes]] = OrderedDict()

    async def compared(self, lot_id: str, vendor_id: str, told: Iterable[Told], offset: int, now_ms: int) -> None:
        """Notes the fingerprints of whole days, as of a position of the lot's log."""
        fresh = [one for one in told if self._is_news(lot_id, one, now_ms)]
        notes = [
            journal_pb2.JournalEntry(
                comparison=journal_pb2.Comparison(
                    lot_id=lot_id,
                    day_ms=one.day.start_ms,
                    vendor_count=one.vendor.count,
                    vendor_sum=one.vendor.digest_sum,
                    platform_count=one.platform.count,
                    platform_sum=one.platform.digest_sum,
                    book_offset=offset,
                    vendor_id=vendor_id,
                ),
                note_ms=now_ms,
            )
            for one in fresh
        ]
        keys = [f"{lot_id}/{one.day.start_ms}/{now_ms}/{one.vendor.digest_sum.hex()}" for one in fresh]
        if await self._note(keys, notes):
            for one in fresh:
                _remember(self._told, (lot_id, one.day.start_ms), (one, now_ms))

    def _is_news(self, lot_id: str, one: Told, now_ms: int) -> bool:
        last = self._told.get((lot_id, one.day.start_ms))
        return last is None or last[0] != one or now_ms - last[1] >= _AGAIN_MS

    async def found(
        self, lot_id: str, window: Bounds, differences: Sequence[Difference], vendor: dict[str, bytes], now_ms: int
    ) -> None:
        """Notes the differences of a window; `vendor` holds the digests that were sent, by id.

        A difference is of the day of the platform's record where that lies in the window, and of the window's first day
        otherwise.
        """
        keys: list[str] = []
        notes: list[journal_pb2.JournalEntry] = []
        marks: list[tuple[Day, bytes]] = []
        for one in differences:
            if one.kind == messages.DIFFERENCE_KIND_EXPECTED:
                continue
            inside = one.held is not None and window.start_ms <= one.held.event_ms < window.end_ms
            at_ms = one.held.event_ms if one.held and inside else window.start_ms
            day = lot_id, beijing.day_bounds(at_ms).start_ms
            digest = vendor.get(one.record_id, b"")
            mark = sha256(b"%b %d %b" % (one.record_id.encode(), one.kind, digest)).digest()[:16]
            known = self._found.get(day)
            if known is None:
                known = set()
                _remember(self._found, day, known)
            if mark in known or len(known) >= self._most:
                continue
            known.add(mark)
            marks.append((day, mark))
            keys.append(f"{lot_id}/{day[1]}/{one.record_id}/{one.kind}/{digest.hex()}")
            difference = journal_pb2.Difference(
                lot_id=lot_id, day_ms=day[1], record_id=one.record_id, kind=one.kind, vendor_digest=digest
            )
            notes.append(journal_pb2.JournalEntry(difference=difference, note_ms=now_ms))
        if not await self._note(keys, notes):
            for day, mark in marks:
                self._found.get(day, set()).discard(mark)

    async def _note(self, keys: list[str], notes: list[journal_pb2.JournalEntry]) -> bool:
        if not notes:
            return True
        # The key says all that makes one note differ from another: whoever comes second with it has nothing to add.
        digests = [sha256(key.encode()).digest() for key in keys]
        try:
            await self._journal.note_all(list(zip(keys, notes, digests, strict=True)))
        except (LogUnavailable, LogFull) as away:
            _log.warning("%d findings of a comparison were not noted: %s", len(notes), type(away).__name__)
            return False
        return True


def _remember(memory: OrderedDict[Day, Value], day: Day, value: Value) -> None:
    memory[day] = value
    memory.move_to_end(day)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
