"""What Envoy is told about a request, and through it the caller."""

import base64
import math
from typing import Final

from google.protobuf import json_format
from google.rpc import status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode
from mesh.caller import HEADER
from mesh.errors import MeshError, status_of
from parkmesh.edge.v1 import ext_authz_pb2

from risk_control.signatures import HEADERS

UNAUTHENTICATED: Final = 401
_OVERWRITE: Final = 2
_HTTP: Final = {
    StatusCode.UNAUTHENTICATED: UNAUTHENTICATED,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
}


def admitted(assertion: str | None) -> ext_authz_pb2.CheckResponse:
    """Lets a request through, with the caller's assertion in the place of the token; None: with neither."""
    headers = [] if assertion is None else [_header(HEADER, assertion)]
    ok = ext_authz_pb2.OkHttpResponse(headers=headers, headers_to_remove=["authorization"])
    return ext_authz_pb2.CheckResponse(status=status_pb2.Status(code=0), ok_response=ok)


def confirmed() -> ext_authz_pb2.CheckResponse:
    """Lets a signed request through once its body is the one that was signed; the signature has done its work."""
    ok = ext_authz_pb2.OkHttpResponse(headers_to_remove=HEADERS)
    return ext_authz_pb2.CheckResponse(status=status_pb2.Status(code=0), ok_response=ok)


def refused(error: MeshError, request_id: str, *, grpc: bool) -> ext_authz_pb2.CheckResponse:
    """Refuses a request: JSON for REST callers; for gRPC callers the headers that carry a status."""
    status = status_of(error, request_id)
    denied = ext_authz_pb2.DeniedHttpResponse(status=ext_authz_pb2.HttpStatus(code=_HTTP.get(error.code, 503)))
    if error.retry_after_ms is not None:
        denied.headers.append(_header("retry-after", str(math.ceil(error.retry_after_ms / 1000))))
    if grpc:
        details = base64.b64encode(status.SerializeToString()).decode()
        denied.headers.append(_header("grpc-status", str(status.code)))
        denied.headers.append(_header("grpc-message", status.message))
        denied.headers.append(_header("grpc-status-details-bin", details))
    else:
        denied.headers.append(_header("content-type", "application/json"))
        if denied.status.code == UNAUTHENTICATED:
            denied.headers.append(_header("www-authenticate", "Bearer"))
        denied.body = json_format.MessageToJson(status, indent=None, ensure_ascii=False)
    return ext_authz_pb2.CheckResponse(status=status_pb2.Status(code=status.code), denied_response=denied)


def _header(name: str, value: str) -> ext_authz_pb2.HeaderValueOption:
    header = ext_authz_pb2.HeaderValue(key=name, value=value)
    return ext_authz_pb2.HeaderValueOption(header=header, append_action=_OVERWRITE)
