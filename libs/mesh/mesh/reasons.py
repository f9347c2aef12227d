"""What each error reason means for a caller: its gRPC status and whether to send the same again. The one table."""

from typing import NamedTuple

from grpc import StatusCode
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.errors.v1.chinese import CHINESE
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

_PREFIX = "ERROR_REASON_"


class Meaning(NamedTuple):
    """What a reason means for a caller."""

    code: StatusCode
    """The gRPC status."""
    retryable: bool
    """Whether sending the same again, as it is, can succeed."""


MEANINGS: dict[ErrorReason.ValueType, Meaning] = {
    reasons.ERROR_REASON_UNSPECIFIED: Meaning(StatusCode.UNKNOWN, False),
    reasons.ERROR_REASON_UNAUTHENTICATED: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_BAD_CREDENTIAL: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_METHOD_NOT_ALLOWED: Meaning(StatusCode.PERMISSION_DENIED, False),
    reasons.ERROR_REASON_CALLER_NOT_ASSERTED: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_RATE_LIMITED: Meaning(StatusCode.RESOURCE_EXHAUSTED, True),
    reasons.ERROR_REASON_SIGNATURE_EXPIRED: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_NONCE_REUSED: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_BODY_DIGEST_MISMATCH: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_INVALID_FIELD: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_MALFORMED_REQUEST: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_REQUEST_TOO_LARGE: Meaning(StatusCode.OUT_OF_RANGE, False),
    reasons.ERROR_REASON_UNKNOWN_METHOD: Meaning(StatusCode.UNIMPLEMENTED, False),
    reasons.ERROR_REASON_INVALID_PAGE_TOKEN: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_LOT_NOT_FOUND: Meaning(StatusCode.NOT_FOUND, False),
    reasons.ERROR_REASON_RECORD_NOT_FOUND: Meaning(StatusCode.NOT_FOUND, False),
    reasons.ERROR_REASON_RESOURCE_NOT_FOUND: Meaning(StatusCode.NOT_FOUND, False),
    reasons.ERROR_REASON_ALREADY_REGISTERED: Meaning(StatusCode.ALREADY_EXISTS, False),
    reasons.ERROR_REASON_EVENT_IN_FUTURE: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_BEIJING_TIME_MARKED_UTC: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_EVENT_TOO_OLD: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_PLATE_MALFORMED: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_ID_REVEALS_PLATE: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_FIELDS_CONTRADICT: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_CONFLICTS_WITH_STORED: Meaning(StatusCode.ALREADY_EXISTS, False),
    reasons.ERROR_REASON_HISTORY_UNAVAILABLE: Meaning(StatusCode.UNAVAILABLE, True),
    reasons.ERROR_REASON_LOG_FULL: Meaning(StatusCode.RESOURCE_EXHAUSTED, True),
    reasons.ERROR_REASON_LOG_UNAVAILABLE: Meaning(StatusCode.UNAVAILABLE, True),
    reasons.ERROR_REASON_DIRECTORY_UNAVAILABLE: Meaning(StatusCode.UNAVAILABLE, True),
    reasons.ERROR_REASON_SERVICE_UNAVAILABLE: Meaning(StatusCode.UNAVAILABLE, True),
    reasons.ERROR_REASON_DEADLINE_EXCEEDED: Meaning(StatusCode.DEADLINE_EXCEEDED, True),
    reasons.ERROR_REASON_INTERNAL: Meaning(StatusCode.INTERNAL, True),
    reasons.ERROR_REASON_ETAG_MISMATCH: Meaning(StatusCode.ABORTED, False),
    reasons.ERROR_REASON_STATE_NOT_ALLOWED: Meaning(StatusCode.FAILED_PRECONDITION, False),
    reasons.ERROR_REASON_SURVEY_CONFLICT: Meaning(StatusCode.ALREADY_EXISTS, False),
    reasons.ERROR_REASON_SURVEY_INVALID: Meaning(StatusCode.FAILED_PRECONDITION, False),
    reasons.ERROR_REASON_SURVEY_UNREADABLE: Meaning(StatusCode.INVALID_ARGUMENT, False),
    reasons.ERROR_REASON_BAD_CODE: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_BAD_LOGIN: Meaning(StatusCode.UNAUTHENTICATED, False),
    reasons.ERROR_REASON_ROLES_NOT_SEPARATE: Meaning(StatusCode.FAILED_PRECONDITION, False),
    reasons.ERROR_REASON_BOOKS_DIFFER: Meaning(StatusCode.FAILED_PRECONDITION, False),
    reasons.ERROR_REASON_DAY_NOT_SETTLED: Meaning(StatusCode.FAILED_PRECONDITION, False),
    reasons.ERROR_REASON_DAY_CLOSED: Meaning(StatusCode.ALREADY_EXISTS, False),
    reasons.ERROR_REASON_SECOND_PERSON_REQUIRED: Meaning(StatusCode.PERMISSION_DENIED, False),
}


def name_of(reason: ErrorReason.ValueType) -> str:
    """The reason as callers read it: the enum's name without its prefix."""
    return ErrorReason.Name(reason).removeprefix(_PREFIX)


def chinese_of(reason: ErrorReason.ValueType) -> str:
    """What the reason means, in Chinese, as the enum's comment says it."""
    return CHINESE[ErrorReason.Name(reason)]
