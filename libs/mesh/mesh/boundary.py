"""The error boundary: the only place that turns an exception into an answer."""

import asyncio
import logging
from typing import Any, NoReturn, TypeAlias

import grpc
from grpc_status import rpc_status  # type: ignore[import-untyped]
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from mesh.call import Call
from mesh.errors import MeshError, status_of

_log = logging.getLogger(__name__)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
"""What a servicer's method is handed beside the request."""


async def refuse(error: BaseException, call: Call, context: Context) -> NoReturn:
    """Answers the call with the error and raises what ends it.

    An exception that is nobody's refusal becomes INTERNAL and is logged once, without its text.
    """
    if isinstance(error, grpc.aio.AbortError | asyncio.CancelledError | GeneratorExit):
        raise error
    if not isinstance(error, Exception):
        raise error
    refusal = as_refusal(error)
    if refusal.reason == reasons.ERROR_REASON_INTERNAL:
        _log.error("call failed", exc_info=error, extra={"method": call.method})
    await context.abort_with_status(rpc_status.to_status(status_of(refusal, call.request_id)))
    raise AssertionError("abort returns never")


def as_refusal(error: Exception) -> MeshError:
    """What the caller is told about an exception."""
    if isinstance(error, MeshError):
        return error
    code = error.code() if isinstance(error, grpc.aio.AioRpcError) else None
    if isinstance(error, TimeoutError) or code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return MeshError(reasons.ERROR_REASON_DEADLINE_EXCEEDED, "The call took longer than it may.")
    if code is grpc.StatusCode.UNAVAILABLE:
        return MeshError(reasons.ERROR_REASON_SERVICE_UNAVAILABLE, "A service behind this one cannot be reached.")
    return MeshError(reasons.ERROR_REASON_INTERNAL, "The platform failed.")
