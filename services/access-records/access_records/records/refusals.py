"""What the journal keeps of refused items, so that reconciliation can say why a record is missing: never the plate."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from eventlog import LogFull, LogUnavailable
from mesh.caller import Caller
from parkmesh.access.v1 import journal_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing, ids
from vocabulary.plate import id_reveals_plate

from access_records.journal import Journal

_log = logging.getLogger(__name__)

_REMEMBERED: Final = 10_000
"""Hours of lots that are remembered, so that what was noted is not noted again."""
_LAST_MS: Final = 253_402_300_800_000  # the end of the year 9999


class Refused(NamedTuple):
    """An item that was refused."""

    lot_id: str
    record_id: str
    revision: int
    """0 for a record."""
    digest: bytes
    plate_number: str
    """As sent; only to see that the id does not hold it."""
    event_ms: int
    """As sent, in epoch milliseconds; 0 when a revision states none."""
    reason: reasons.ErrorReason.ValueType
    field: str


class Reporters(Protocol):
    """Who may speak for which lot."""

    def lot(self, lot_id: str) -> object | None:
        """The lot; None when there is none."""

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may report or revise records of the lot at that time."""


class Refusals:
    """Notes refused items: of lots that the caller may speak for, each once, and so many of a lot in an hour.

    A journal that is away costs the note, never the upload.
    """

    def __init__(self, journal: Journal, lots: Reporters, most: int) -> None:
        """`most`: of one lot in an hour, by this process."""
        self._journal = journal
        self._lots = lots
        self._most = most
        self._noted: OrderedDict[tuple[str, int], set[bytes]] = OrderedDict()

    async def note(self, caller: Caller, refused: Sequence[Refused], now_ms: int) -> None:
        """Notes what is worth it; returns when that is durable, or was given up."""
        hour = now_ms // beijing.HOUR_MS
        notes: list[tuple[str, journal_pb2.JournalEntry, bytes]] = []
        fresh: list[tuple[set[bytes], bytes]] = []
        for one in refused:
            if not self._is_kept(caller, one, now_ms):
                continue
            key = f"{one.lot_id}/{one.record_id}/{one.revision}/{one.digest.hex()}/{one.reason}"
            digest = sha256(key.encode()).digest()
            known = self._known(one.lot_id, hour)
            if digest in known or len(known) >= self._most:
                continue
            known.add(digest)
            fresh.append((known, digest))
            notes.append((key, _entry(caller, one, now_ms), digest))
        if not notes:
            return
        try:
            await self._journal.note_all(notes)
        except (LogUnavailable, LogFull) as away:
            for known, digest in fresh:
                known.discard(digest)
            _log.warning("%d refusals were not noted: %s", len(notes), type(away).__name__)

    def _is_kept(self, caller: Caller, one: Refused, now_ms: int) -> bool:
        return (
            ids.is_vendor_id(one.record_id)
            and not id_reveals_plate(one.record_id, one.plate_number)
            and self._lots.may_revise(caller, one.lot_id, now_ms)
            and self._lots.lot(one.lot_id) is not None
        )

    def _known(self, lot_id: str, hour: int) -> set[bytes]:
        known = self._noted.setdefault((lot_id, hour), set())
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        return known


def _entry(caller: Caller, one: Refused, now_ms: int) -> journal_pb2.JournalEntry:
    rejection = journal_pb2.Rejection(
        lot_id=one.lot_id,
        record_id=one.record_id,
        revision=one.revision,
        digest=one.digest,
        reason=one.reason,
        field=one.field,
        vendor_id=caller.subject,
        event_ms=one.event_ms if abs(one.event_ms) < _LAST_MS else 0,
    )
    return journal_pb2.JournalEntry(rejection=rejection, note_ms=now_ms)
