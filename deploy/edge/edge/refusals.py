"""What the edge says when it refuses a request itself: the words for the script, by HTTP status."""

import json
from typing import NamedTuple, TypedDict

from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as manager
from google.protobuf import json_format
from mesh.errors import MeshError, status_of
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason

MARK = "x-parkmesh-refused"
REQUEST = "x-parkmesh-refused-request"
RETRY_AFTER_MS = 1000
GE, EQ = accesslog.ComparisonFilterOp.GE, accesslog.ComparisonFilterOp.EQ


class Refusal(NamedTuple):
    """Why, and the sentence for people."""

    reason: ErrorReason.ValueType
    message: str
    retry_after_ms: int | None = None


class Wording(TypedDict):
    """A refusal as the script sends it; `json` and `status` (protobuf) are without their end, for one more detail."""

    code: int
    message: str
    json: str
    status: bytes


REFUSALS = {
    400: Refusal(reasons.ERROR_REASON_MALFORMED_REQUEST, "The request cannot be read."),
    404: Refusal(reasons.ERROR_REASON_UNKNOWN_METHOD, "No method has this path."),
    405: Refusal(reasons.ERROR_REASON_UNKNOWN_METHOD, "There is only something to read here: use GET."),
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
    """Marks every answer that Envoy makes itself, with its cause and the request's id, for the script to word.

    What cannot be read as HTTP never reaches the script, so that gets its words here.
    """
    marks = [
        header(MARK, "%RESPONSE_CODE% %REQ(:METHOD)% %RESPONSE_CODE_DETAILS%"),
        header(REQUEST, "%REQ(X-REQUEST-ID)%"),
    ]
    refusal = manager.ResponseMapper(filter=status(GE, 400), headers_to_add=marks)
    return manager.LocalReplyConfig(mappers=[*map(unreadable, REFUSALS), refusal])


def unreadable(http: int) -> manager.ResponseMapper:
    """The words for a request of which not even the method could be read."""
    no_method = accesslog.HeaderFilter(header=route.HeaderMatcher(name=":method", present_match=False))
    both = accesslog.AndFilter(filters=[status(EQ, http), accesslog.AccessLogFilter(header_filter=no_method)])
    return manager.ResponseMapper(
        filter=accesslog.AccessLogFilter(and_filter=both),
        body=core.DataSource(inline_string=f"{wording(REFUSALS[http])['json']}]}}"),
        body_format_override=core.SubstitutionFormatString(
            text_format_source=core.DataSource(inline_string="%LOCAL_REPLY_BODY%"), content_type="application/json"
        ),
    )


def status(op: accesslog.ComparisonFilterOp, http: int) -> accesslog.AccessLogFilter:
    """Compares the answer's HTTP status."""
    value = core.RuntimeUInt32(default_value=http, runtime_key="edge.refusal")
    comparison = accesslog.ComparisonFilter(op=op, value=value)
    return accesslog.AccessLogFilter(status_code_filter=accesslog.StatusCodeFilter(comparison=comparison))


def header(name: str, value: str) -> core.HeaderValueOption:
    """Sets a header."""
    overwrite = core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return core.HeaderValueOption(header=core.HeaderValue(key=name, value=value), append_action=overwrite)


def worded() -> dict[int, Wording]:
    """Per HTTP status what the script needs: the JSON without its end, the gRPC code, message and status without the
    request's id.
    """
    return {http: wording(refusal) for http, refusal in REFUSALS.items()}


def wording(refusal: Refusal) -> Wording:
    """A refusal as JSON and as protobuf, both ready for one more detail to be added at the end."""
    error = MeshError(refusal.reason, refusal.message, retry_after_ms=refusal.retry_after_ms)
    status = status_of(error, "")
    del status.details[-1]
    opened = json.dumps(json_format.MessageToDict(status), ensure_ascii=False, separators=(",", ":")).removesuffix("]}")
    return Wording(code=status.code, message=status.message, json=opened, status=status.SerializeToString())
