"""What the edge says when it refuses a request itself: the words for the script, by HTTP status."""

import json
from typing import NamedTuple

from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as manager
from google.protobuf import json_format
from mesh.errors import MeshError, status_of
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

MARK = "x-parkmesh-refused"
REQUEST = "x-parkmesh-refused-request"
RETRY_AFTER_MS = 1000


class Refusal(NamedTuple):
    """Why, and the sentence for people."""

    reason: ErrorReason.ValueType
    message: str
    retry_after_ms: int | None = None


REFUSALS = {
    400: Refusal(reasons.ERROR_REASON_MALFORMED_REQUEST, "The request cannot be read."),
    404: Refusal(reasons.ERROR_REASON_UNKNOWN_METHOD, "No method has this path."),
    408: Refusal(reasons.ERROR_REASON_DEADLINE_EXCEEDED, "The request took too long to arrive."),
    413: Refusal(
        reasons.ERROR_REASON_REQUEST_TOO_LARGE, "The body is larger than the edge takes. Send smaller batches."
    ),
    415: Refusal(
        reasons.ERROR_REASON_MALFORMED_REQUEST,
        "The body must be JSON, plain or in gzip: send `Content-Type: application/json`.",
    ),
    431: Refusal(reasons.ERROR_REASON_REQUEST_TOO_LARGE, "The request's headers are larger than the edge takes."),
    500: Refusal(
        reasons.ERROR_REASON_SERVICE_UNAVAILABLE,
        "The answer could not be passed on. Ask again later.",
        RETRY_AFTER_MS,
    ),
    503: Refusal(
        reasons.ERROR_REASON_SERVICE_UNAVAILABLE,
        "A service behind the edge cannot be reached. Send the same again later.",
        RETRY_AFTER_MS,
    ),
    504: Refusal(reasons.ERROR_REASON_DEADLINE_EXCEEDED, "The call took longer than it may. Send the same again."),
}


def local_replies() -> manager.LocalReplyConfig:
    """Marks every answer that Envoy makes itself, with its cause and the request's id, for the script to word."""
    own = accesslog.AccessLogFilter(
        status_code_filter=accesslog.StatusCodeFilter(
            comparison=accesslog.ComparisonFilter(
                op=accesslog.ComparisonFilterOp.GE,
                value=core.RuntimeUInt32(default_value=400, runtime_key="edge.first_refusal"),
            )
        )
    )
    marks = [
        header(MARK, "%RESPONSE_CODE% %REQ(:METHOD)% %RESPONSE_CODE_DETAILS%"),
        header(REQUEST, "%REQ(X-REQUEST-ID)%"),
    ]
    return manager.LocalReplyConfig(mappers=[manager.ResponseMapper(filter=own, headers_to_add=marks)])


def header(name: str, value: str) -> core.HeaderValueOption:
    """Sets a header."""
    overwrite = core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return core.HeaderValueOption(header=core.HeaderValue(key=name, value=value), append_action=overwrite)


def worded() -> dict[int, dict[str, str | int | bytes]]:
    """Per HTTP status what the script needs: the JSON without its end, the gRPC code, message and status without the
    request's id.
    """
    return {http: wording(refusal) for http, refusal in REFUSALS.items()}


def wording(refusal: Refusal) -> dict[str, str | int | bytes]:
    """A refusal as JSON and as protobuf, both ready for one more detail to be added at the end."""
    error = MeshError(refusal.reason, refusal.message, retry_after_ms=refusal.retry_after_ms)
    status = status_of(error, "")
    del status.details[-1]
    opened = json.dumps(json_format.MessageToDict(status), ensure_ascii=False, separators=(",", ":")).removesuffix("]}")
    return {
        "code": status.code,
        "message": status.message,
        "json": opened,
        "status": status.SerializeToString(),
    }
