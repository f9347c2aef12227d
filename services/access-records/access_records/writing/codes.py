"""The names of the numbers that the history holds, as the protos give them."""

import re
from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor
from history.client import HistoryClient
from history.writer import BatchWriter
from parkmesh.access.v1 import code_row_pb2, record_pb2
from parkmesh.errors.v1 import error_reason_pb2
from parkmesh.registry.v1 import coordinate_pb2, gate_pb2, lot_pb2

from access_records import tables

ENUMS: Final[dict[str, EnumDescriptor]] = {
    name: enum
    for file in (record_pb2, error_reason_pb2, lot_pb2, gate_pb2, coordinate_pb2)
    for name, enum in file.DESCRIPTOR.enum_types_by_name.items()
}
"""The enums whose numbers the history may hold, by their names."""


def name_of(value: EnumValueDescriptor) -> str:
    """A value's name without its enum's prefix."""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", value.type.name).upper()
    return str(value.name).removeprefix(f"{prefix}_")


def rows() -> Iterator[code_row_pb2.CodeRow]:
    """Every value of every enum."""
    for kind, enum in ENUMS.items():
        for value in enum.values:
            yield code_row_pb2.CodeRow(kind=kind, code=value.number, name=name_of(value))


async def fill(client: HistoryClient) -> None:
    """Writes the codes into the history; written again they change nothing. Raises HistoryUnavailable."""
    codes = [row.SerializeToString() for row in rows()]
    await BatchWriter(client, [tables.CODES]).write({tables.CODES.name: {0: codes}})
