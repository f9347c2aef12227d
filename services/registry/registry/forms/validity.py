"""The time for which something is valid: from a start, included, to an end, excluded, in whole milliseconds."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from mesh.errors import FieldViolation
from parkmesh.registry.v1.berth_pb2 import BerthAlias
from parkmesh.registry.v1.rule_pb2 import Rule
from vocabulary import refusal

from registry.forms.violation import broken, json_path

_MILLISECOND_NS: Final = 1_000_000
_SECOND_NS: Final = 1_000_000_000
_EVER: Final = float("inf")


class ValidityRule(refusal.Rule):
    """What can be wrong with the time of something."""

    MILLISECONDS = ("time.milliseconds", "must have at most 3 digits after the second", "秒后最多3位小数（毫秒）")
    ORDER = ("time.end_after_start", "must be later than startTime", "须晚于 startTime（生效时间）")


class Validity(NamedTuple):
    """A span of time, in nanoseconds since 1970; infinite where a bound is left out."""

    start: float
    end: float

    def meets(self, other: "Validity") -> bool:
        """Whether both are valid at some time."""
        return max(self.start, other.start) < min(self.end, other.end)


def of(message: BerthAlias | Rule) -> Validity:
    """The time for which it is valid."""
    return Validity(
        _ns(message.start_time) if message.HasField("start_time") else -_EVER,
        _ns(message.end_time) if message.HasField("end_time") else _EVER,
    )


def examine(message: BerthAlias | Rule, path: str) -> Iterator[FieldViolation]:
    """The digits of both bounds, and their order."""
    for name in ("start_time", "end_time"):
        if getattr(message, name).nanos % _MILLISECOND_NS:
            yield broken(json_path(path, message, name), ValidityRule.MILLISECONDS)
    valid = of(message)
    if valid.end <= valid.start:
        yield broken(json_path(path, message, "end_time"), ValidityRule.ORDER)


def _ns(time: Timestamp) -> int:
    return time.seconds * _SECOND_NS + time.nanos
