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

_REMEMBERED: Final = 50_000
"""Days of lots, and differences, that are remembered, so that what was noted is not noted again."""
_AGAIN_MS: Final = 10 * beijing.MINUTE_MS
"""After this long the same fingerprint of a day is noted again, with its new time."""
_NEXT_MS: Final = beijing.MINUTE_MS
"""After this long another fingerprint of a day is noted; at once when the books agree by it and did not before."""

Day = tuple[str, int]
"""A lot, and where its Beijing day begins."""
Key = TypeVar("Key")
Value = TypeVar("Value")


class Told(NamedTuple):
    """The fingerprints of a day that were compared."""

    day: Bounds
    vendor: Fingerprint
    platform: Fingerprint


class _Hourly:
    """Counts what is noted of each lot in an hour, by this process; there are no more counts than lots."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, tuple[int, int]] = {}

    def take(self, lot_id: str, now_ms: int) -> bool:
        """Whether there is room for one more, which it then takes."""
        hour, count = self._counts.get(lot_id, (0, 0))
        present = now_ms // beijing.HOUR_MS
        if hour != present:
            count = 0
        if count >= self._most:
            return False
        self._counts[lot_id] = present, count + 1
        return True


class Notes:
    """Notes what comparisons find; a journal that is away costs the note, never the answer.

    What is noted is bounded: of a day a fingerprint a minute, the same ones once in ten minutes, and of a lot so many
    fingerprints and so many differences in an hour, whatever the days.
    """

    def __init__(self, journal: Journal, most_comparisons: int, most_differences: int) -> None:
        """Both of one lot in an hour, by this process."""
        self._journal = journal
        self._comparisons = _Hourly(most_comparisons)
        self._differences = _Hourly(most_differences)
        self._told: OrderedDict[Day, tuple[Told, int]] = OrderedDict()
        self._found: OrderedDict[bytes, None] = OrderedDict()

    @property
    def remembered(self) -> tuple[int, int]:
        """How many days and how many differences are remembered."""
        return len(self._told), len(self._found)

    async def compared(self, lot_id: str, vendor_id: str, told: Iterable[Told], offset: int, now_ms: int) -> None:
        """Notes the fingerprints of whole days, as of a position of the lot's log."""
        fresh = [one for one in told if self._is_news(lot_id, one, now_ms) and self._comparisons.take(lot_id, now_ms)]
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
        for one in fresh:
            # At once: the next question may come before the journal has answered.
            _remember(self._told, (lot_id, one.day.start_ms), (one, now_ms))
        if not await self._note(keys, notes):
            for one in fresh:
                self._told.pop((lot_id, one.day.start_ms), None)

    def _is_news(self, lot_id: str, one: Told, now_ms: int) -> bool:
        known = self._told.get((lot_id, one.day.start_ms))
        if known is None:
            return True
        last, last_ms = known
        if last == one:
            return now_ms - last_ms >= _AGAIN_MS
        return now_ms - last_ms >= _NEXT_MS or (one.vendor == one.platform and last.vendor != last.platform)

    async def found(
        self, lot_id: str, window: Bounds, differences: Sequence[Difference], vendor: dict[str, bytes], now_ms: int
    ) -> None:
        """Notes the differences of a window; `vendor` holds the digests that were sent, by id.

        A difference is of the day of the platform's record where that lies in the window, and of the window's first day
        otherwise.
        """
        keys: list[str] = []
        notes: list[journal_pb2.JournalEntry] = []
        marks: list[bytes] = []
        for one in differences:
            if one.kind == messages.DIFFERENCE_KIND_EXPECTED:
                continue
            inside = one.held is not None and window.start_ms <= one.held.event_ms < window.end_ms
            at_ms = one.held.event_ms if one.held and inside else window.start_ms
            day_ms = beijing.day_bounds(at_ms).start_ms
            digest = vendor.get(one.record_id, b"")
            key = f"{lot_id}/{day_ms}/{one.record_id}/{one.kind}/{digest.hex()}"
            mark = sha256(key.encode()).digest()[:16]
            if mark in self._found or not self._differences.take(lot_id, now_ms):
                continue
            _remember(self._found, mark, None)
            marks.append(mark)
            keys.append(key)
            difference = journal_pb2.Difference(
                lot_id=lot_id, day_ms=day_ms, record_id=one.record_id, kind=one.kind, vendor_digest=digest
            )
            notes.append(journal_pb2.JournalEntry(difference=difference, note_ms=now_ms))
        if not await self._note(keys, notes):
            for mark in marks:
                self._found.pop(mark, None)

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


def _remember(memory: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
