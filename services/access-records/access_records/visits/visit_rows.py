"""Visits as rows of the history's table."""

from typing import Final

from parkmesh.access.v1.visit_pb2 import VISIT_REASON_DOUBLED
from parkmesh.access.v1.visit_row_pb2 import VisitRow, WithdrawnVisitRow

from access_records.visits.pairing import Limits, Passage, Visit

Place = tuple[str, int, str]
"""Where a record holds: lot, instant of the event in epoch milliseconds, record id."""
Seen = tuple[bytes, Place]
"""A plate's pseudonym, and where the record holds that has it."""

_AWAITED: Final = ((), (int(VISIT_REASON_DOUBLED),))
"""The reasons of visits without an exit whose exit may still come."""


def row_of(visit: Visit, version: int, limits: Limits) -> bytes:
    """The row of a visit as it is at a position of the log, serialized."""
    entry, leaving, others, state, reasons = visit
    anchor = entry or leaving
    assert anchor is not None
    seen = leaving if leaving and not anchor.plate_key else anchor
    made_ms = anchor.accept_ms
    row = VisitRow(
        lot_id=anchor.lot_id,
        anchor_ms=anchor.at_ms,
        record_id=anchor.record_id,
        berth_id=anchor.berth_id,
        plate_key=anchor.plate_key,
        plate_masked=seen.plate_masked,
        plate_colour=seen.plate_colour,  # type: ignore[arg-type]
        vehicle_class=anchor.vehicle_class,  # type: ignore[arg-type]
        parking_type=anchor.parking_type,  # type: ignore[arg-type]
        visit_id=anchor.visit_id,
        state=state,  # type: ignore[arg-type]
        version=version,
    )
    if entry is not None:
        row.entry_record_id = entry.record_id
        row.entry_ms = entry.at_ms
        row.entry_gate_id = entry.gate_id
        row.entry_lane_id = entry.lane_id
    if leaving is not None:
        made_ms = max(made_ms, leaving.accept_ms)
        row.exit_record_id = leaving.record_id
        row.exit_ms = leaving.at_ms
        row.exit_gate_id = leaving.gate_id
        row.exit_lane_id = leaving.lane_id
        if entry is not None:
            row.dwell_ms = max(0, leaving.at_ms - entry.at_ms)
            if leaving.plate_key != anchor.plate_key:
                row.exit_plate_key = leaving.plate_key
            if not row.visit_id:
                row.visit_id = leaving.visit_id
    if reasons:
        row.reasons.extend(reasons)  # type: ignore[arg-type]
    if others:
        made_ms = max(made_ms, *(other.accept_ms for other in others))
        row.other_record_ids.extend(other.record_id for other in others)
    if leaving is None and reasons in _AWAITED:
        row.due_ms = anchor.at_ms + limits.longest_ms
    row.made_ms = made_ms
    return row.SerializeToString()


def seen_in(visit: Visit) -> list[Seen]:
    """By what a visit is found: the plates of its entry and, if that is another one, of its exit."""
    found = [(seen.plate_key, place_of(seen)) for seen in (visit.entry, visit.exit) if seen and seen.plate_key]
    return found[:1] if len(found) > 1 and found[0][0] == found[1][0] else found


def withdrawal(seen: Seen, version: int) -> bytes:
    """The row that says that no visit is found by a record's plate any more, serialized."""
    plate_key, (lot_id, at_ms, record_id) = seen
    return WithdrawnVisitRow(
        plate_key=plate_key, lot_id=lot_id, seen_ms=at_ms, seen_record_id=record_id, version=version, gone=True
    ).SerializeToString()


def tombstone(place: Place, version: int) -> bytes:
    """The row that says that no visit stands at a place (lot, instant, record) any more, serialized."""
    lot_id, at_ms, record_id = place
    return VisitRow(lot_id=lot_id, anchor_ms=at_ms, record_id=record_id, gone=True, version=version).SerializeToString()


def place_of(passage: Passage) -> Place:
    """Where a record holds."""
    return passage.lot_id, passage.at_ms, passage.record_id
