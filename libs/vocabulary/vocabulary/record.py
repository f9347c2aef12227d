"""What a vendor states in one record, as plain values, and the digest by which two copies are proved equal."""

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from vocabulary.digest import Layout


class Facts(NamedTuple):
    """The facts that a record's digest covers, as sent; empty text and 0 mean not stated.

    Not covered, since they may change between two honest uploads: the resend flag, recognition confidence, image
    references and free spaces after the event.
    """

    record_id: str
    lot_id: str
    direction: int
    event_time_ms: int
    plate_number: str
    plate_colour: int
    plate_kind: int
    plate_state: int
    vehicle_class: int
    gate_id: str
    lane_id: str
    berth_id: str
    device_id: str
    visit_id: str
    parking_type: int
    release_method: int
    release_reason: str


LAYOUT: Final = Layout("parkmesh.access.record/1", Facts._fields)
"""The canonical text of a record: docs/canonical-text.md."""

_JSON_NAMES: Final = {
    name: re.sub("_([a-z])", lambda letter: letter[1].upper(), name.removesuffix("_ms")) for name in Facts._fields
}


class Instant(Protocol):
    """An instant as a protobuf Timestamp tells it."""

    @property
    def seconds(self) -> int:
        """Whole seconds since 1970 UTC."""

    @property
    def nanos(self) -> int:
        """What is beyond them, in nanoseconds."""


class Stated(Protocol):
    """A message that states a record: AccessRecord, LoggedRecord, or what has the same names."""

    @property
    def record_id(self) -> str:
        """The record's id."""

    @property
    def lot_id(self) -> str:
        """The lot."""

    @property
    def direction(self) -> int:
        """1 entry, 2 exit."""

    @property
    def event_time(self) -> Instant:
        """When it happened."""

    @property
    def plate_number(self) -> str:
        """The plate as sent."""

    @property
    def plate_colour(self) -> int:
        """Number of PlateColour."""

    @property
    def plate_kind(self) -> int:
        """Number of PlateKind."""

    @property
    def plate_state(self) -> int:
        """Number of PlateState."""

    @property
    def vehicle_class(self) -> int:
        """Number of VehicleClass."""

    @property
    def gate_id(self) -> str:
        """The gate."""

    @property
    def lane_id(self) -> str:
        """The lane."""

    @property
    def berth_id(self) -> str:
        """The berth."""

    @property
    def device_id(self) -> str:
        """The device."""

    @property
    def visit_id(self) -> str:
        """The visit."""

    @property
    def parking_type(self) -> int:
        """Number of ParkingType."""

    @property
    def release_method(self) -> int:
        """Number of ReleaseMethod."""

    @property
    def release_reason(self) -> str:
        """Why it was opened by hand."""


def facts_of(record: Stated) -> Facts:
    """The facts of a record; its event time is cut off to whole milliseconds."""
    time = record.event_time
    return Facts(
        record.record_id,
        record.lot_id,
        record.direction,
        time.seconds * 1000 + time.nanos // 1_000_000,
        record.plate_number,
        record.plate_colour,
        record.plate_kind,
        record.plate_state,
        record.vehicle_class,
        record.gate_id,
        record.lane_id,
        record.berth_id,
        record.device_id,
        record.visit_id,
        record.parking_type,
        record.release_method,
        record.release_reason,
    )


def digest_of(facts: Facts) -> bytes:
    """SHA-256 over the canonical text of the facts: 32 bytes."""
    return sha256(canonical_of(facts)).digest()


def canonical_of(facts: Facts) -> bytes:
    """The canonical text of the facts: what `LAYOUT` writes, remembering the parts that come back in every record."""
    record_id, lot_id, direction, event, number, colour, kind, state, vehicle, gate, lane, berth, device = facts[:13]
    visit, parking, method, reason = facts[13:]
    where, how, terms = _recurring(
        lot_id, direction, colour, kind, state, vehicle, gate, lane, berth, device, parking, method, reason
    )
    return (
        f"{_OPENING}record_id={len(record_id)}:{record_id}\n{where}event_time_ms={len(str(event))}:{event}\n"
        f"{_plate(number)}{how}{_text('visit_id', visit)}{terms}"
    ).encode()


_OPENING: Final = LAYOUT.canonical([None] * len(Facts._fields)).decode()


def _text(name: str, value: str | int) -> str:
    if not value:
        return ""
    text = str(value)
    return f"{name}={len(text) if text.isascii() else len(text.encode())}:{text}\n"


@lru_cache(maxsize=1 << 16)
def _plate(number: str) -> str:
    return _text("plate_number", number)


@lru_cache(maxsize=1 << 15)
def _recurring(
    lot_id: str,
    direction: int,
    colour: int,
    kind: int,
    state: int,
    vehicle: int,
    gate: str,
    lane: str,
    berth: str,
    device: str,
    parking: int,
    method: int,
    reason: str,
) -> tuple[str, str, str]:
    """The three runs of lines that say where, how and on which terms: a lane's records share them."""
    where = _text("lot_id", lot_id) + _text("direction", direction)
    how = (
        _text("plate_colour", colour)
        + _text("plate_kind", kind)
        + _text("plate_state", state)
        + _text("vehicle_class", vehicle)
        + _text("gate_id", gate)
        + _text("lane_id", lane)
        + _text("berth_id", berth)
        + _text("device_id", device)
    )
    terms = _text("parking_type", parking) + _text("release_method", method) + _text("release_reason", reason)
    return where, how, terms


def first_difference(stored: Facts, sent: Facts) -> str:
    """The JSON name of the first fact in which the two differ; empty when they are equal."""
    for name, before, now in zip(Facts._fields, stored, sent, strict=True):
        if before != now:
            return _JSON_NAMES[name]
    return ""
