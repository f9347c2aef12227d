"""The use cases of looking plates up: visits by plate, the plate of a record, and who looked up what (R7.4)."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

from eventlog import LogFull, LogUnavailable, Outcome
from history.client import HistoryClient
from history.errors import HistoryError
from mesh import paging
from mesh.caller import Caller, CallerKind
from mesh.clock import Ids
from mesh.errors import FieldViolation, MeshError
from mesh.validation import invalid
from parkmesh.access.v1.journal_pb2 import JournalEntry, LookUp
from parkmesh.access.v1.visit_pb2 import VISIT_REASON_MISSING_EXIT, VISIT_STATE_DOUBTFUL
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.progress import Progress
from access_records.queries import query
from access_records.records.plates import PlateReader
from access_records.records.reading import Reading, history_unavailable, log_unavailable
from access_records.records.state import State

_VISIT_PLACE: Final = ("[0-9]{1,15}", paging.ID, paging.ID)
_LOOK_UP_PLACE: Final = ("[0-9]{1,15}", paging.ID)
_UNWRITTEN: Final = re.compile("[^0-9A-Z]+")
_ENOUGH: Final = 5
"""Fewer letters and digits of a plate may stand in a text by chance."""


class Place(NamedTuple):
    """Where a caller may look: everywhere, or in some lots."""

    everywhere: bool
    lots: tuple[str, ...]


class Asked(NamedTuple):
    """What a look-up is for."""

    purpose: str
    case_number: str


class FoundVisit(NamedTuple):
    """One visit, as `store.visits_by_plate` holds it; times in epoch milliseconds, None when there is none."""

    lot_id: str
    anchor_ms: int
    record_id: str
    entry_record_id: str
    exit_record_id: str
    entry_ms: int | None
    exit_ms: int | None
    entry_gate_id: str
    exit_gate_id: str
    berth_id: str
    plate_masked: str
    plate_colour: int
    vehicle_class: int
    parking_type: int
    visit_id: str
    other_record_ids: list[str]
    dwell_ms: int | None
    state: int
    reasons: list[int]
    due_ms: int | None


class Page(NamedTuple):
    """Some visits of one vehicle."""

    visits: list[FoundVisit]
    next_token: str
    look_up_id: str
    complete_until_ms: int
    """Every record acknowledged before this instant is in the visits; 0 when that is not known."""


class Wanted(NamedTuple):
    """Which visits to find."""

    plate_number: str
    plate_colour: int
    start_ms: int
    end_ms: int


class Journals(Protocol):
    """Where look-ups are noted; see `journal.Journal`."""

    async def note(self, key: str, entry: JournalEntry, digest: bytes) -> Outcome:
        """Notes an entry once; durable on return."""


@dataclass(frozen=True, slots=True)
class LookingUp:
    """Looks plates up for those who may; nothing is answered that is not noted."""

    client: HistoryClient
    followed: Progress
    """How far the visits have followed the log."""
    reading: Reading
    journal: Journals
    plates: PlateReader
    ids: Ids

    async def visits(
        self, caller: Caller, place: Place, wanted: Wanted, asked: Asked, size: int, token: str, now_ms: int
    ) -> Page:
        """The page behind the token of the visits of a vehicle. PLATE_MALFORMED, INVALID_FIELD when the purpose or the
        case number holds the plate, LOG_UNAVAILABLE or LOG_FULL when it cannot be noted, HISTORY_UNAVAILABLE.
        """
        normal = self.plates.normal(wanted.plate_number)
        if normal is None:
            rule = FieldViolation("plateNumber", "plate", "must be a plate", "须为有效的号牌号码")
            raise MeshError(reasons.ERROR_REASON_PLATE_MALFORMED, "The plate has the form of none.", fields=[rule])
        if wanted.end_ms <= wanted.start_ms:
            raise invalid([FieldViolation("endTime", "window", "must be behind startTime", "须晚于 startTime")])
        key = self.plates.pseudonym(normal)
        # The plate itself stands in no token: its digest would tell it to whoever tries all plates.
        arguments = (key.hex(), *map(str, wanted[1:]), caller.subject)
        after = paging.decode(token, arguments, _VISIT_PLACE) or ("-1", "", "")
        look_up = LookUp(plate_key=key, start_ms=wanted.start_ms, end_ms=wanted.end_ms)
        look_up_id = await self._note("SearchVisits", caller, asked, look_up, normal, now_ms)
        told = {
            "plate": key.hex(),
            "colour": wanted.plate_colour,
            "everywhere": place.everywhere,
            "lots": " ".join(place.lots),
            "start": wanted.start_ms,
            "end": wanted.end_ms,
            "after_ms": int(after[0]),
            "after_lot": after[1],
            "after_id": after[2],
            "limit": size + 1,
        }
        try:
            complete_until_ms = await self.followed.all_complete_until_ms(now_ms)
        except HistoryError:
            raise history_unavailable() from None
        except LogUnavailable:
            raise log_unavailable() from None
        rows = await self._rows(VISITS_OF_PLATE, told)
        found = [_as_of(FoundVisit(*row), now_ms) for row in rows]
        next_token = ""
        if len(found) > size:
            found.pop()
            last = found[-1]
            next_token = paging.encode(arguments, (str(last.anchor_ms), last.lot_id, last.record_id))
        return Page(found, next_token, look_up_id, complete_until_ms)

    async def plate(self, caller: Caller, lot_id: str, record_id: str, asked: Asked, now_ms: int) -> tuple[State, str]:
        """The record with its plate, and the id of the look-up; errors as for `visits` and as `Reading.one` gives."""
        state = await self.reading.one(lot_id, record_id)
        look_up = LookUp(plate_key=state.record.plate_key, lot_id=lot_id, record_id=record_id)
        return state, await self._note("RevealPlate", caller, asked, look_up, state.record.plate_normal, now_ms)

    async def look_ups(self, start_ms: int, end_ms: int, size: int, token: str) -> tuple[list[tuple[Any, ...]], str]:
        """The page behind the token of what was looked up, the latest first, as `queries/look_ups.sql` gives it."""
        arguments = (str(start_ms), str(end_ms))
        before = paging.decode(token, arguments, _LOOK_UP_PLACE) or (str(end_ms), "")
        told = {
            "start": start_ms,
            "end": end_ms,
            "before_ms": int(before[0]),
            "before_id": before[1],
            "limit": size + 1,
        }
        rows = await self._rows(query("look_ups"), told)
        next_token = ""
        if len(rows) > size:
            rows.pop()
            next_token = paging.encode(arguments, (str(rows[-1][-1]), rows[-1][0]))
        return rows, next_token

    async def _note(self, method: str, caller: Caller, asked: Asked, look_up: LookUp, normal: str, now_ms: int) -> str:
        """Notes the look-up and gives its id; LOG_UNAVAILABLE or LOG_FULL when it cannot be noted.

        INVALID_FIELD when the purpose or the case number holds the plate: that tells the plate to whoever guessed it,
        and is noted before it is told, without the two.
        """
        indiscreet = _indiscreet(asked, normal)
        if indiscreet:
            asked = Asked("***", "***")
        look_up.look_up_id = self.ids.new("look-up")
        look_up.method = method
        look_up.account_id = caller.account or caller.credential
        look_up.subject_id = caller.subject
        look_up.purpose, look_up.case_number = asked
        look_up.note_ms = now_ms
        entry = JournalEntry(look_up=look_up, note_ms=now_ms)
        try:
            await self.journal.note(look_up.look_up_id, entry, sha256(entry.SerializeToString()).digest())
        except LogFull as full:
            message = "The look-up cannot be recorded, so it is refused."
            retry_after_ms = int(full.retry_after * 1000)
            raise MeshError(reasons.ERROR_REASON_LOG_FULL, message, retry_after_ms=retry_after_ms) from None
        except LogUnavailable:
            raise log_unavailable() from None
        if indiscreet:
            raise invalid(indiscreet)
        return look_up.look_up_id

    async def _rows(self, sql: str, told: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            return await self.client.rows(sql, told)
        except HistoryError:
            raise history_unavailable() from None


_READ: Final = ", ".join(
    f"toUnixTimestamp64Milli({name.removesuffix('_ms')}_time)" if name.endswith("_ms") and name != "dwell_ms" else name
    for name in FoundVisit._fields
)
VISITS_OF_PLATE: Final = query("visits_of_plate").replace("{columns}", _READ)
"""The statement that finds the visits of a vehicle, a row for each as in FoundVisit."""


def _as_of(visit: FoundVisit, now_ms: int) -> FoundVisit:
    """The visit as it is now: no exit is waited for without end."""
    if visit.due_ms is None or visit.due_ms >= now_ms:
        return visit
    return visit._replace(state=VISIT_STATE_DOUBTFUL, reasons=sorted([VISIT_REASON_MISSING_EXIT, *visit.reasons]))


def _indiscreet(asked: Asked, normal: str) -> list[FieldViolation]:
    """Where what a look-up is for holds the plate: it is kept, and shown to others."""
    tail = _UNWRITTEN.sub("", normal)
    return [
        FieldViolation(field, "no_plate", "must not hold the plate", "不得包含号牌号码")
        for field, text in (("purpose", asked.purpose), ("caseNumber", asked.case_number))
        if len(tail) >= _ENOUGH and tail in _UNWRITTEN.sub("", text.upper())
    ]


def place_of(caller: Caller, lots: tuple[str, ...]) -> Place:
    """Where the caller may look: supervisors everywhere, anybody else in these lots."""
    everywhere = caller.kind is CallerKind.SUPERVISOR
    return Place(everywhere, () if everywhere else lots)
