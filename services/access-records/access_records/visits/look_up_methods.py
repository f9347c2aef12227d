"""The gRPC face of looking plates up: convert, call one use case, convert. Part of AccessRecordServicer."""

from typing import Any, Final

from directory import Directory
from google.protobuf.timestamp_pb2 import Timestamp
from mesh import caller, paging
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.instants import ms_of, time_of
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import visit_pb2

from access_records.visits.lines import FOREVER_MS
from access_records.visits.search import Asked, FoundVisit, LookingUp, Wanted, place_of

_FIRST_MS: Final = 0
_STATED: Final = (
    "lot_id",
    "entry_record_id",
    "exit_record_id",
    "entry_gate_id",
    "exit_gate_id",
    "berth_id",
    "plate_masked",
    "plate_colour",
    "vehicle_class",
    "parking_type",
    "visit_id",
    "state",
    "reasons",
    "other_record_ids",
)


class LookUpMethods:
    """SearchVisits, RevealPlate and ListLookUps."""

    _looking_up: LookingUp
    _directory: Directory
    _clock: Clock

    async def SearchVisits(
        self, request: messages.SearchVisitsRequest, context: Context
    ) -> messages.SearchVisitsResponse:
        """See the proto."""
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        who = caller.current()
        lots = tuple(lot.lot_id for lot in self._directory.lots() if self._directory.may_see(who, lot.lot_id, now_ms))
        page = await self._looking_up.visits(
            who,
            place_of(who, lots),
            Wanted(request.plate_number, request.plate_colour, _within(request.start_time), _within(request.end_time)),
            Asked(request.purpose, request.case_number),
            paging.page_size(request.page_size),
            request.page_token,
            now_ms,
        )
        return messages.SearchVisitsResponse(
            visits=map(_visit, page.visits),
            next_page_token=page.next_token,
            look_up_id=page.look_up_id,
            complete_until=time_of(page.complete_until_ms) if page.complete_until_ms else None,
        )

    async def RevealPlate(self, request: messages.RevealPlateRequest, context: Context) -> messages.RevealPlateResponse:
        """See the proto."""
        now_ms = self._clock.now_ms()
        self._directory.require_fresh(now_ms)
        who = caller.current()
        self._looking_up.reading.require(who, request.lot_id, now_ms)
        asked = Asked(request.purpose, request.case_number)
        state, look_up_id = await self._looking_up.plate(who, request.lot_id, request.record_id, asked, now_ms)
        return messages.RevealPlateResponse(
            plate_number=state.record.plate_normal, plate_colour=state.record.plate_colour, look_up_id=look_up_id
        )

    async def ListLookUps(self, request: messages.ListLookUpsRequest, context: Context) -> messages.ListLookUpsResponse:
        """See the proto."""
        rows, next_token = await self._looking_up.look_ups(
            _within(request.start_time) if request.HasField("start_time") else _FIRST_MS,
            _within(request.end_time) if request.HasField("end_time") else FOREVER_MS,
            paging.page_size(request.page_size),
            request.page_token,
        )
        return messages.ListLookUpsResponse(look_ups=map(_look_up, rows), next_page_token=next_token)


def _within(stamp: Timestamp) -> int:
    """The instant in epoch milliseconds; what lies outside of what the history knows is taken as its ends."""
    return max(_FIRST_MS, min(FOREVER_MS, ms_of(stamp)))


def _visit(found: FoundVisit) -> visit_pb2.Visit:
    visit = visit_pb2.Visit(**{name: getattr(found, name) for name in _STATED})
    if found.entry_ms is not None:
        visit.entry_time.CopyFrom(time_of(found.entry_ms))
    if found.exit_ms is not None:
        visit.exit_time.CopyFrom(time_of(found.exit_ms))
    if found.dwell_ms is not None:
        visit.dwell_seconds = found.dwell_ms // 1000
    return visit


def _look_up(row: tuple[Any, ...]) -> messages.StoredLookUp:
    *texts, start_ms, end_ms, note_ms = row
    look_up_id, method, account_id, subject_id, plate_key, lot_id, record_id, purpose, case_number = texts
    made = messages.StoredLookUp(
        look_up_id=look_up_id,
        method=method,
        account_id=account_id,
        subject_id=subject_id,
        plate_key=plate_key,
        lot_id=lot_id,
        record_id=record_id,
        purpose=purpose,
        case_number=case_number,
        look_up_time=time_of(note_ms),
    )
    if end_ms:
        made.start_time.CopyFrom(time_of(start_ms))
        made.end_time.CopyFrom(time_of(end_ms))
    return made
