"""What all methods that take items in share: who sends them, what the edge did not know, a log that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from directory import Directory
from eventlog import LogFull, LogUnavailable
from mesh import caller
from mesh.boundary import Context
from mesh.caller import Caller
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.reading import log_unavailable

UNKNOWN_FIELDS_HEADER: Final = "x-parkmesh-unknown-fields"
"""Where the edge names the JSON fields that it did not know, separated by commas."""


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
