"""The bytes that the log keeps of an accepted record: a LoggedRecord, joined from parts.

Protobuf reads joined messages as one, so the stated facts go in as the record serializes itself, and what the platform
adds is appended: several times faster than building the message field by field. The fixed-width facts
stand last, where the history writer finds them without reading the message.
"""

import struct
from typing import Final

from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

_FIELDS: Final = record_pb2.LoggedRecord.DESCRIPTOR.fields_by_name
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5


def _tag(field: str, wire_type: int) -> bytes:
    number = _FIELDS[field].number << 3 | wire_type
    return bytes([number & 127 | 128, number >> 7]) if number > 127 else bytes([number])


_NORMAL: Final = _tag("plate_normal", _BYTES)
_KEY: Final = _tag("plate_key", _BYTES)
_MASKED: Final = _tag("plate_masked", _BYTES)
_DIGEST: Final = _tag("digest", _BYTES) + bytes([32])
_TIMES: Final = struct.Struct(f"<{len(_tag('accept_ms', _FIXED64))}sq{len(_tag('event_ms', _FIXED64))}sq")
_ACCEPT: Final = _tag("accept_ms", _FIXED64)
_EVENT: Final = _tag("event_ms", _FIXED64)
_PLACE: Final = struct.Struct(f"<{len(_tag('log_shard', _FIXED32))}sI{len(_tag('log_offset', _FIXED64))}sQ")
_REVISION: Final = _tag("revision", _FIXED32)
_SHARD: Final = _tag("log_shard", _FIXED32)
_OFFSET: Final = _tag("log_offset", _FIXED64)


def reporter_part(subject: str) -> bytes:
    """The part that says who sent a record; one for all records of a call."""
    return record_pb2.LoggedRecord(vendor_id=subject).SerializeToString()


def plate_part(normal: str, key: bytes, masked: str) -> bytes:
    """The part that holds what is derived from a plate; none of the three is longer than 127 bytes."""
    written, shown = normal.encode(), masked.encode()
    lengths = bytes((len(written), len(key), len(shown)))
    return b"".join((_NORMAL, lengths[:1], written, _KEY, lengths[1:2], key, _MASKED, lengths[2:], shown))


def warnings_part(warnings: tuple[reasons.Warning.ValueType, ...]) -> bytes:
    """The part that holds the warnings."""
    return record_pb2.LoggedRecord(warnings=warnings).SerializeToString()


def logged(stated: bytes, derived: bytes, digest: bytes, accept_ms: int, event_ms: int) -> bytes:
    """A LoggedRecord from a serialized AccessRecord, further serialized parts, and the digest and instants."""
    return b"".join((stated, derived, _DIGEST, digest, _TIMES.pack(_ACCEPT, accept_ms, _EVENT, event_ms)))


def revised(revision: record_pb2.LoggedRecord) -> bytes:
    """The bytes of a revision: its number first, by which readers tell it from a first report, and its times last."""
    number = record_pb2.LoggedRecord(revision=revision.revision).SerializeToString()
    return number + logged(revision.SerializeToString(), b"", revision.digest, revision.accept_ms, revision.event_ms)


def is_revision(payload: bytes) -> bool:
    """Whether a payload is that of a revision, not of a first report."""
    return payload.startswith(_REVISION)


def times(payload: bytes) -> tuple[int, int]:
    """When the record of a payload was accepted and when its event was, in epoch milliseconds."""
    _, accept_ms, _, event_ms = _TIMES.unpack_from(payload, len(payload) - _TIMES.size)
    return accept_ms, event_ms


def placed(payload: bytes, shard: int, offset: int) -> bytes:
    """The payload with its place in the log."""
    return payload + _PLACE.pack(_SHARD, shard, _OFFSET, offset)


def read(payload: bytes) -> record_pb2.LoggedRecord:
    """The record of a payload."""
    return record_pb2.LoggedRecord.FromString(payload)
