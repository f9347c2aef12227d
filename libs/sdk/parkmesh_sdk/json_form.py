"""Messages as JSON: uploads and their answers field by field, everything else by protobuf's own, slower way."""

import json
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh.errors.v1 import error_reason_pb2 as reasons

A = TypeVar("A", bound=Message)

_DAY_S: Final = 86_400
_BEIJING_S: Final = 8 * 3_600
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_S: Final = -62_135_596_800
_LAST_S: Final = 253_402_300_799 - _BEIJING_S
# Left out of the JSON when they hold nothing, as protobuf would.
_PLAIN: Final = tuple(
    (name, AccessRecord.DESCRIPTOR.fields_by_name[name].json_name)
    for name in (
        "plate_number",
        "plate_colour",
        "plate_kind",
        "plate_state",
        "vehicle_class",
        "gate_id",
        "lane_id",
        "berth_id",
        "device_id",
        "visit_id",
        "parking_type",
        "release_method",
        "release_reason",
        "resend",
    )
)


def encode(message: Message) -> bytes:
    """The message as JSON in UTF-8; the enums of records as numbers, which are taken as well as their names."""
    if isinstance(message, access.UploadRecordsRequest):
        content: Any = {"records": [record_fields(record) for record in message.records]}
    else:
        content = json_format.MessageToDict(message)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def decode(text: bytes, kind: type[A]) -> A:
    """The message that the JSON spells; fields that this version of the SDK does not know are passed over.

    Raises ValueError when it does not spell one.
    """
    content = json.loads(text)
    message = kind()
    try:
        content = dict(content)
        if isinstance(message, access.UploadRecordsResponse):
            # A batch sent again has a result for every record, too many for protobuf's own way.
            message.items.extend(map(_item, content.pop("items", ())))
        json_format.ParseDict(content, message, ignore_unknown_fields=True)
    except (json_format.ParseError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("the JSON is not the message") from error
    return message


def record_fields(record: AccessRecord) -> dict[str, Any]:
    """The record as `json.dumps` takes it, its time in Beijing time. ValueError when the time is no RFC 3339 time."""
    fields: dict[str, Any] = {
        "recordId": record.record_id,
        "lotId": record.lot_id,
        "direction": record.direction,
    }
    if record.HasField("event_time"):
        fields["eventTime"] = _time(record.event_time.seconds, record.event_time.nanos)
    for name, json_name in _PLAIN:
        value = getattr(record, name)
        if value:
            fields[json_name] = value
    if record.HasField("free_spaces"):
        fields["freeSpaces"] = record.free_spaces
    if record.image_ids:
        fields["imageIds"] = list(record.image_ids)
    if record.HasField("confidence_permille"):
        fields["confidencePermille"] = record.confidence_permille
    return fields


def _time(seconds: int, nanos: int) -> str:
    if not (_FIRST_S <= seconds <= _LAST_S and 0 <= nanos < 1_000_000_000):
        raise ValueError("the event time is outside the years 1 to 9999")
    day, second = divmod(seconds + _BEIJING_S, _DAY_S)
    fraction = f".{nanos // 1_000_000:03}" if nanos % 1_000_000 == 0 else f".{nanos:09}"
    return f"{_day(day)}T{_clock(second)}{fraction}+08:00"


@lru_cache(maxsize=256)
def _day(day: int) -> str:
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


@lru_cache(maxsize=_DAY_S)
def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _item(fields: dict[str, Any]) -> access.ItemResult:
    return access.ItemResult(
        index=fields.get("index", 0),
        record_id=fields.get("recordId", ""),
        outcome=_number(access.Outcome, fields.get("outcome", 0)),
        reason=_number(reasons.ErrorReason, fields.get("reason", 0)),
        field=fields.get("field", ""),
        message=fields.get("message", ""),
        retryable=fields.get("retryable", False),
        warnings=[_number(reasons.Warning, warning) for warning in fields.get("warnings", ())],
    )


def _number(enum: Any, value: str | int) -> Any:
    return enum.Value(value) if isinstance(value, str) else value
