"""The one exception that a caller is told about, and its form on the wire."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

from mesh.reasons import MEANINGS, chinese_of, name_of

DOMAIN = "parkmesh"
CHINESE = "zh-CN"
"""The locale of the texts beside the English ones."""

# The status travels in one trailer, and gRPC refuses more than 8 KiB of metadata: beyond this many bytes violations are
# only counted.
_VIOLATION_BYTES = 4000


class FieldViolation(NamedTuple):
    """A field that breaks a rule."""

    field: str
    """Its path in JSON, from the request: `records[3].plateNumber`."""
    rule: str
    """The rule's id, such as `string.pattern`."""
    description: str
    """What would be right, in English; never the value that was sent."""
    chinese: str
    """The same in Chinese."""


class MeshError(Exception):
    """A refusal that the caller is told about. Its gRPC status follows from the reason alone.

    `message` is English and for people, `chinese` the same in Chinese, the reason's own text unless given; neither of
    them, nor a violation, nor `metadata` may hold a value that was sent or another exception's text.
    `retry_after_ms` says how long to wait before a retry; None says nothing about it.
    """

    def __init__(
        self,
        reason: ErrorReason.ValueType,
        message: str,
        *,
        chinese: str = "",
        fields: Sequence[FieldViolation] = (),
        retry_after_ms: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.chinese = chinese or chinese_of(reason)
        self.fields = tuple(fields)
        self.retry_after_ms = retry_after_ms
        self.metadata = dict(metadata or {})

    @property
    def code(self) -> StatusCode:
        """The gRPC status of its reason."""
        return MEANINGS[self.reason].code

    @property
    def retryable(self) -> bool:
        """Whether sending the same again, as it is, can succeed."""
        return MEANINGS[self.reason].retryable


def status_of(error: MeshError, request_id: str) -> status_pb2.Status:
    """The error as google.rpc.Status: always ErrorInfo, LocalizedMessage (in Chinese) and, as the last, RequestInfo.

    BadRequest when fields are at fault, RetryInfo when it says how long to wait.

    When there are more violations than a trailer can hold, the first ones are named and the metadata `violations`
    counts all.
    """
    named = _that_fit(error.fields)
    metadata = dict(error.metadata)
    if len(named) < len(error.fields):
        metadata["violations"] = str(len(error.fields))
    info = error_details_pb2.ErrorInfo(reason=name_of(error.reason), domain=DOMAIN, metadata=metadata)
    details: list[Message] = [info]
    if named:
        details.append(error_details_pb2.BadRequest(field_violations=named))
    if error.retry_after_ms is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(error.retry_after_ms)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    details.append(_in_chinese(error.chinese))
    details.append(error_details_pb2.RequestInfo(request_id=request_id))
    return status_pb2.Status(code=error.code.value[0], message=error.message, details=map(_packed, details))


def _that_fit(fields: Sequence[FieldViolation]) -> list[error_details_pb2.BadRequest.FieldViolation]:
    fitting = []
    size = 0
    for violation in fields:
        entry = error_details_pb2.BadRequest.FieldViolation(
            field=violation.field,
            reason=violation.rule,
            description=violation.description,
            localized_message=_in_chinese(violation.chinese) if violation.chinese else None,
        )
        size += entry.ByteSize()
        if size > _VIOLATION_BYTES:
            break
        fitting.append(entry)
    return fitting


def _in_chinese(text: str) -> error_details_pb2.LocalizedMessage:
    return error_details_pb2.LocalizedMessage(locale=CHINESE, message=text)


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
