"""The access log: JSON lines on stdout, without query, body, the caller's address, or a path: only the platform's own
name of the method.
"""

from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.access_loggers.stream import v3 as stream
from envoy_data_plane.google.protobuf import Any, Struct

_TRACE = "request.headers['traceparent']"

FACTS = {
    "time": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "event": "request",
    "service": "edge",
    "protocol": "%PROTOCOL%",
    "method": "%ROUTE_NAME%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS_NUMBER%",
    "cause": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_CLUSTER%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    # Anybody's text, unless it has the form of one.
    "traceparent": f"%CEL({_TRACE}.matches('^[0-9a-f-]*$') && size({_TRACE}) == 55 ? {_TRACE} : '')%",
}


def access_log() -> accesslog.AccessLog:
    """One line per request. `method` is the route's name, which is ours: a path is the sender's text and could hold a
    plate.
    """
    line = core.SubstitutionFormatString(json_format=Struct.from_dict(FACTS), omit_empty_values=True)
    return accesslog.AccessLog(
        name="envoy.access_loggers.stdout", typed_config=Any.pack(stream.StdoutAccessLog(log_format=line))
    )
