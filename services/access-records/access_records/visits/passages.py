"""Passages: from what the log holds, and from the history's rows."""

from collections.abc import Sequence
from typing import Any, Final

from parkmesh.access.v1 import record_pb2

from access_records.visits.pairing import Passage

COLUMNS: Final = ", ".join(
    {
        "at_ms": "toUnixTimestamp64Milli(event_time)",
        "direction": "toInt8(direction)",
        "plate_key": "hex(plate_key)",
        "accept_ms": "toUnixTimestamp64Milli(accept_time)",
    }.get(name, name)
    for name in Passage._fields
)
"""What a query selects so that `of_row` understands it."""


def of_record(record: record_pb2.LoggedRecord) -> Passage:
    """The passage that a record states."""
    return Passage(
        record.event_ms,
        record.direction,
        record.record_id,
        record.lot_id,
        record.plate_key,
        record.visit_id,
        record.plate_state,
        record.plate_masked,
        record.plate_colour,
        record.vehicle_class,
        record.gate_id,
        record.lane_id,
        record.berth_id,
        record.parking_type,
        record.accept_ms,
    )


def of_row(row: Sequence[Any]) -> Passage:
    """The passage of a row of `COLUMNS`."""
    values = list(row)
    values[_PLATE_KEY] = bytes.fromhex(values[_PLATE_KEY])
    return Passage(*values)


_PLATE_KEY: Final = Passage._fields.index("plate_key")
