"""Whether a record keeps the proto's rules, decided in a fraction of the time that the rules themselves take.

The proto's rules (buf.validate) are the contract and name what is wrong; this check only says whether anything is. A
test holds the two equal.
"""

import re
from functools import lru_cache
from typing import Final

from mesh.validation import violations
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.record import Facts

from access_records.records.rules import Rejection

_ID: Final = "[A-Za-z0-9_-]{1,64}"
_TEXT: Final = r"[^\x00-\x1f\x7f]"
# One line for each text that is a record's own: its id, visit, plate and images.
_OWN: Final = re.compile(rf"{_ID}\n[A-Za-z0-9_-]{{0,64}}\n{_TEXT}{{0,16}}(?:\n{_ID}){{0,8}}")
_OWN_BREAKS: Final = 2
_LOT: Final = re.compile(_ID)
_PLACE: Final = re.compile(rf"{_TEXT}{{0,64}}")
_REASON: Final = re.compile(rf"{_TEXT}{{0,200}}")
_REQUIRED: Final = (record_pb2.Direction, record_pb2.VehicleClass)
_OPTIONAL: Final = (
    record_pb2.PlateColour,
    record_pb2.PlateKind,
    record_pb2.PlateState,
    record_pb2.ParkingType,
    record_pb2.ReleaseMethod,
)
_KNOWN: Final = tuple(
    [frozenset(enum.values()) - {0} for enum in _REQUIRED] + [frozenset(enum.values()) for enum in _OPTIONAL]
)
_MOST_FREE: Final = 1_000_000
_MOST_CONFIDENCE: Final = 1_000
_NANOS: Final = 1_000_000_000


def keeps_contract(record: record_pb2.AccessRecord, facts: Facts, images: tuple[str, ...]) -> bool:
    """Whether the record, with its facts and image ids already read, breaks no rule of the proto."""
    return (
        0 <= record.free_spaces <= _MOST_FREE
        and 0 <= record.confidence_permille <= _MOST_CONFIDENCE
        and record.HasField("event_time")
        and 0 <= record.event_time.nanos < _NANOS
        and _recurring_keep_it(
            facts.direction,
            facts.vehicle_class,
            facts.plate_colour,
            facts.plate_kind,
            facts.plate_state,
            facts.parking_type,
            facts.release_method,
            facts.lot_id,
            facts.gate_id,
            facts.lane_id,
            facts.berth_id,
            facts.device_id,
            facts.release_reason,
        )
        and _own_keep_it(
            "\n".join((facts.record_id, facts.visit_id, facts.plate_number, *images)), _OWN_BREAKS + len(images)
        )
    )


def _own_keep_it(lines: str, breaks: int) -> bool:
    # Counted, since a line break inside a text would pass for one more line.
    return lines.count("\n") == breaks and _OWN.fullmatch(lines) is not None


def first_violation(record: record_pb2.AccessRecord) -> Rejection:
    """What is wrong with a record that does not keep the contract: the first rule that it breaks."""
    for violation in violations(record):
        return Rejection(reasons.ERROR_REASON_INVALID_FIELD, violation.field, violation.description, violation.chinese)
    return Rejection(
        reasons.ERROR_REASON_INVALID_FIELD,
        "eventTime",
        "the nanos of a timestamp lie between 0 and 999,999,999",
        "时间戳的纳秒须在 0 至 999,999,999 之间",
    )


@lru_cache(maxsize=1 << 15)
def _recurring_keep_it(*recurring: int | str) -> bool:
    """Whether the codes and texts that a lane's records share keep the contract."""
    codes, (lot, *places, reason) = recurring[: len(_KNOWN)], recurring[len(_KNOWN) :]
    return (
        all(code in known for known, code in zip(_KNOWN, codes, strict=True))
        and _LOT.fullmatch(str(lot)) is not None
        and all(_PLACE.fullmatch(str(place)) for place in places)
        and _REASON.fullmatch(str(reason)) is not None
    )
