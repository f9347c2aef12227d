"""The error reasons as their comments tell them, and the HTTP statuses under which they reach REST callers."""

import re
from typing import NamedTuple

from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

from edge.openapi.comments import Comments

ENUM = "parkmesh.errors.v1.ErrorReason"
_PREFIX = "ERROR_REASON_"
_PARTS = re.compile(r"(.+)\n中文：(.+)\nstatus: ([A-Z_]+); retry: (.+)", re.DOTALL)

# How the edge answers over REST when a service refuses: google/rpc/code.proto.
HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
# Where the edge itself refuses, before there is a service to ask, with statuses of its own (edge.refusals).
HTTP_OF_THE_EDGE = {
    "MALFORMED_REQUEST": (400, 415),
    "REQUEST_TOO_LARGE": (413, 431),
    "UNKNOWN_METHOD": (404, 405),
    "SERVICE_UNAVAILABLE": (503, 500),
    "DEADLINE_EXCEEDED": (504, 408),
}
# What the retry in a comment says, in Chinese.
RETRY = {
    "no": "否",
    "no, correct it": "否，请改正",
    "no, correct the clock": "否，请校准时钟",
    "no, correct the offset": "否，请改正时区",
    "no, choose another id": "否，请更换标识",
    "no, ask for a new one": "否，请重新申领",
    "no, read it again": "否，请重新读取",
    "no, send smaller batches": "否，请减小批量",
    "no, list from the start": "否，请从头列出",
    "no, repair the differences": "否，请先修复差异",
    "no, later": "否，请稍后再试",
    "once, signed anew": "重新签名后重试一次",
    "once, with a new token": "获取新令牌后重试一次",
    "yes, after RetryInfo": "是，按 RetryInfo 等待",
    "yes, after the time given": "是，按给出的时间等待",
    "yes, with the same ids": "是，使用相同标识",
}


class Reason(NamedTuple):
    """One value of the enum, as its comment tells it."""

    name: str
    english: str
    chinese: str
    status: str
    retry: str

    @property
    def http(self) -> tuple[int, ...]:
        """The HTTP statuses it comes with, the usual one first."""
        return HTTP_OF_THE_EDGE.get(self.name) or (HTTP[self.status],)


def reasons(comments: Comments) -> list[Reason]:
    """The reasons in the enum's order; ValueError when a comment lacks one of its parts."""
    found = []
    for name in ErrorReason.keys():  # noqa: SIM118 - it is no dict
        parts = _PARTS.fullmatch(comments.lines(f"{ENUM}.{name}"))
        if parts is None:
            raise ValueError(f"{name}: its comment lacks the Chinese text, the status or the retry")
        english, chinese, status, retry = (" ".join(part.split()) for part in parts.groups())
        found.append(Reason(name.removeprefix(_PREFIX), english, chinese, status, retry))
    return found
