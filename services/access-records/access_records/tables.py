"""How messages become rows of the history's tables, described to ClickHouse in words of its own."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from history.rows import ProtobufTable
from parkmesh.access.v1 import (
    calendar_row_pb2,
    code_row_pb2,
    gate_row_pb2,
    journal_pb2,
    lot_row_pb2,
    operator_row_pb2,
    record_pb2,
    visit_row_pb2,
)

_SCALARS: Final = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_ENUM: "int32",
    FieldDescriptor.TYPE_SFIXED64: "sfixed64",
    FieldDescriptor.TYPE_FIXED32: "fixed32",
    FieldDescriptor.TYPE_FIXED64: "fixed64",
}


def _stored(message: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields that ClickHouse reads: all but Timestamps, which it does not know; their instants are fields too."""
    return tuple(field for field in message.fields if field.type != FieldDescriptor.TYPE_MESSAGE)


def _declaration(field: FieldDescriptor) -> str:
    rule = "repeated " if field.is_repeated else "optional " if field.has_presence else ""
    return f"{rule}{_SCALARS[field.type]} {field.name} = {field.number};"


def _table(name: str, message: Descriptor, without: Collection[str] = ()) -> ProtobufTable:
    """A table that takes these messages, one column for each stored field but some."""
    fields = tuple(field for field in _stored(message) if field.name not in without)
    schema = 'syntax = "proto3"; message Row { ' + " ".join(map(_declaration, fields)) + " }"
    return ProtobufTable(name, tuple(field.name for field in fields), schema, "Row")


_OF_REVISIONS: Final = (
    "revision_kind",
    "revised_fields",
    "reason",
    "reason_text",
    "author",
    "evidence_ids",
    "made_ms",
    "account_id",
)
_OF_CURRENT_ROWS: Final = ("revise_ms", "gone")

REVISIONS: Final = _table("store.record_revisions", record_pb2.LoggedRecord.DESCRIPTOR, _OF_CURRENT_ROWS)
"""Every revision of every record."""
CURRENT: Final = _table("store.records_current", record_pb2.LoggedRecord.DESCRIPTOR, _OF_REVISIONS)
"""The state of every record that holds now."""
LOTS: Final = _table("store.lots", lot_row_pb2.LotRow.DESCRIPTOR)
"""The registry's lots."""
OPERATORS: Final = _table("store.operators", operator_row_pb2.OperatorRow.DESCRIPTOR)
"""The registry's operators."""
GATES: Final = _table("store.gates", gate_row_pb2.GateRow.DESCRIPTOR)
"""The gates of the registry's lots."""
CODES: Final = _table("store.codes", code_row_pb2.CodeRow.DESCRIPTOR)
"""What the numbers in the other tables are called."""
CALENDAR: Final = _table("store.calendar", calendar_row_pb2.CalendarRow.DESCRIPTOR)
"""Beijing's days."""
JOURNAL: Final = {
    "rejection": _table("store.rejections", journal_pb2.Rejection.DESCRIPTOR),
    "look_up": _table("store.look_ups", journal_pb2.LookUp.DESCRIPTOR),
    "comparison": _table("store.comparisons", journal_pb2.Comparison.DESCRIPTOR),
    "difference": _table("store.differences", journal_pb2.Difference.DESCRIPTOR),
    "closed_day": _table("store.closed_days", journal_pb2.ClosedDay.DESCRIPTOR),
    "rebuild_request": _table("store.rebuild_requests", journal_pb2.RebuildRequest.DESCRIPTOR),
    "export_request": _table("store.export_requests", journal_pb2.ExportRequest.DESCRIPTOR),
    "export_decision": _table("store.export_decisions", journal_pb2.ExportDecision.DESCRIPTOR),
    "export_event": _table("store.export_events", journal_pb2.ExportEvent.DESCRIPTOR),
}
"""Where the journal's entries go, by their kind in JournalEntry."""
VISITS: Final = replace(_table("store.visits", visit_row_pb2.VisitRow.DESCRIPTOR), partitions=0)
"""Entries and exits, paired. By the plate of its exit, a visit of one year may stand in the next one."""
WITHDRAWALS: Final = _table("store.visits_by_plate", visit_row_pb2.WithdrawnVisitRow.DESCRIPTOR)
"""What of the visits by their plates holds no more; the visits themselves come there from VISITS."""
