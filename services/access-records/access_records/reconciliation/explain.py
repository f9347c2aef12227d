"""In which facts two copies of a record differ, when of one of them only the digest is known."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from parkmesh.access.v1 import record_pb2
from vocabulary import beijing
from vocabulary.record import Facts, digest_of

_ENUMS: Final = {
    "direction": record_pb2.Direction,
    "plate_colour": record_pb2.PlateColour,
    "plate_kind": record_pb2.PlateKind,
    "plate_state": record_pb2.PlateState,
    "vehicle_class": record_pb2.VehicleClass,
    "parking_type": record_pb2.ParkingType,
    "release_method": record_pb2.ReleaseMethod,
}
_OPTIONAL_TEXTS: Final = (
    "plate_number",
    "gate_id",
    "lane_id",
    "berth_id",
    "device_id",
    "visit_id",
    "release_reason",
)
_MOST_HOURS_OFF: Final = 14
"""No time zone is further from another's clock than software has ever confused them."""
_JSON_NAMES: Final = {
    name: record_pb2.AccessRecord.DESCRIPTOR.fields_by_name[name.removesuffix("_ms")].json_name
    for name in Facts._fields
}


def differing(one: Facts, other: Facts) -> tuple[str, ...]:
    """The JSON names of the facts in which two copies differ."""
    return tuple(_JSON_NAMES[name] for name, a, b in zip(Facts._fields, one, other, strict=True) if a != b)


def by_states(present: Facts, others: Iterable[Facts], digest: bytes) -> tuple[str, ...]:
    """The JSON names of the facts in which a copy with this digest differs from the present ones, when the copy is one
    of the others: the states that the record has had or will have by its revisions. Empty when it is none of them.
    """
    return _told(present, others, digest)


def by_trial(present: Facts, digest: bytes) -> tuple[str, ...]:
    """The JSON name of the fact in which a copy with this digest differs from the present ones, when it differs in one
    fact in a way that happens: another number of an enum, a text left out, a time cut to seconds or off by whole hours.
    Empty otherwise. Some seventy copies are tried.
    """
    return _told(present, _variants(present), digest)


def _told(present: Facts, others: Iterable[Facts], digest: bytes) -> tuple[str, ...]:
    return next((differing(present, facts) for facts in others if digest_of(facts) == digest), ())


def _variants(facts: Facts) -> Iterator[Facts]:
    for name in _OPTIONAL_TEXTS:
        if getattr(facts, name):
            yield _with(facts, name, "")
    for name, enum in _ENUMS.items():
        for value in enum.values():
            if value != getattr(facts, name):
                yield _with(facts, name, value)
    for event_ms in _times(facts.event_time_ms):
        yield facts._replace(event_time_ms=event_ms)


def _with(facts: Facts, name: str, value: str | int) -> Facts:
    changed: dict[str, Any] = {name: value}
    return facts._replace(**changed)


def _times(event_ms: int) -> Iterator[int]:
    whole = event_ms - event_ms % 1000
    if whole != event_ms:
        yield whole
    for hours in range(1, _MOST_HOURS_OFF + 1):
        for off_ms in (hours * beijing.HOUR_MS, -hours * beijing.HOUR_MS):
            yield event_ms + off_ms
            if whole != event_ms:
                yield whole + off_ms
