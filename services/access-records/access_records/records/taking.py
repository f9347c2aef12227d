"""What all methods that take items in share: who sends them, what the edge did not know, a log that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from directory import Directory
from eventlog import LogFull, LogUnavailable
from mesh import caller, contract
from mesh.boundary import Context
from mesh.caller import Caller, CallerKind
from mesh.errors import MeshError
from parkmesh.access.v1 import access_record_service_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.records.reading import log_unavailable

UNKNOWN_FIELDS_HEADER: Final = "x-parkmesh-unknown-fields"
"""Where the edge names the JSON fields that it did not know, separated by commas."""


READERS: Final = contract.kinds_of(
    access_record_service_pb2.DESCRIPTOR.services_by_name["AccessRecordService"].methods_by_name["GetRecord"]
)
"""Who may read records: a collector reports and revises them, and is told no more than what became of that."""


def masked() -> bool:
    """Whether the caller sees plates masked: the administrator, whose work needs none (R7.4)."""
    return caller.current().kind is CallerKind.ADMINISTRATOR


def reporter(directory: Directory, now_ms: int) -> Caller:
    """Who calls; the credential must hold now: a stream may outlive it."""
    who = caller.current()
    if directory.good_credential(who.credential, now_ms) is None:
        raise MeshError(reasons.ERROR_REASON_UNAUTHENTICATED, "The credential is revoked or has expired.")
    return who


def unknown_fields(context: Context) -> tuple[str, ...]:
    """The JSON fields of the request that the edge did not know."""
    for name, value in context.invocation_metadata() or ():
        if name == UNKNOWN_FIELDS_HEADER and value:
            return tuple(str(value).split(","))
    return ()


@contextmanager
def log_refusals() -> Iterator[None]:
    """Tells the caller, within the block, that the log takes nothing or did not answer."""
    try:
        yield
    except LogFull as full:
        raise MeshError(
            reasons.ERROR_REASON_LOG_FULL,
            "The record log is near its limit; nothing was stored.",
            retry_after_ms=int(full.retry_after * 1000),
        ) from None
    except LogUnavailable:
        raise log_unavailable() from None
