"""What becomes of one item of a batch."""

from typing import Final, NamedTuple

from eventlog import LogFull
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons


class Verdict(NamedTuple):
    """What became of one record or revision."""

    outcome: messages.Outcome.ValueType
    warnings: tuple[reasons.Warning.ValueType, ...] = ()
    reason: reasons.ErrorReason.ValueType = reasons.ERROR_REASON_UNSPECIFIED
    field: str = ""
    """JSON name within the item; empty when it is the whole item."""
    message: str = ""
    chinese: str = ""
    """The message in Chinese."""
    retryable: bool = False


ACCEPTED: Final = Verdict(messages.OUTCOME_ACCEPTED)
DUPLICATE: Final = Verdict(messages.OUTCOME_DUPLICATE)
STORED: Final = (messages.OUTCOME_ACCEPTED, messages.OUTCOME_DUPLICATE)
HISTORY_AWAY: Final = Verdict(
    messages.OUTCOME_DEFERRED,
    reason=reasons.ERROR_REASON_HISTORY_UNAVAILABLE,
    message="older than what is decided at once, and the history cannot be read now; send it again later",
    chinese="记录早于可即时判定的时间窗，且历史库暂不可用；请稍后重发",
    retryable=True,
)
_LOG_FULL: Final = Verdict(
    messages.OUTCOME_DEFERRED,
    reason=reasons.ERROR_REASON_LOG_FULL,
    message="the record log is near its limit; nothing was stored, send it again later",
    chinese="记录日志接近上限，未存储任何内容；请稍后重发",
    retryable=True,
)
_LOG_AWAY: Final = Verdict(
    messages.OUTCOME_DEFERRED,
    reason=reasons.ERROR_REASON_LOG_UNAVAILABLE,
    message="the record log did not answer; whether it was stored is unknown, send it again with the same id",
    chinese="记录日志无应答，是否已存储未知；请以相同标识重发",
    retryable=True,
)


def deferred_by(failure: BaseException) -> Verdict:
    """Of an item that the log did not take, or of which it is not known whether it did."""
    return _LOG_FULL if isinstance(failure, LogFull) else _LOG_AWAY


def conflict(field: str, message: str, chinese: str) -> Verdict:
    """Of an item whose id is taken by other content."""
    return Verdict(
        messages.OUTCOME_CONFLICT,
        reason=reasons.ERROR_REASON_CONFLICTS_WITH_STORED,
        field=field,
        message=message,
        chinese=chinese,
    )
