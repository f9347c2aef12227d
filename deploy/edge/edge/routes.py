"""Which path goes where: pages, then gRPC paths only, because the transcoder turns REST into gRPC before the route is
chosen for good.
"""

import datetime

from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.extensions.filters.http.buffer import v3 as buffer
from envoy_data_plane.google.protobuf import Any

from edge import pages
from edge.contract import Contract, Method
from edge.settings import Settings
from edge.signing import signed

NAME = "edge"
BUFFER = "envoy.filters.http.buffer"
NO_LIMIT = datetime.timedelta(0)


def route_configuration(contract: Contract, settings: Settings) -> route.RouteConfiguration:
    """Routes for the pages, for every method served, and last a catch-all that answers 404.

    The catch-all is what makes the authorization filter ask about every REST path, known or not: it skips requests
    without a route.
    """
    streams = [stream(method, settings) for method in contract.methods if method.streaming]
    calls = [call(method, settings) for method in contract.methods if not method.streaming]
    unknown = route.Route(
        name="unknown",
        match=route.RouteMatch(prefix="/"),
        direct_response=route.DirectResponseAction(status=404, body=core.DataSource(inline_string="unknown")),
    )
    host = route.VirtualHost(
        name=NAME,
        domains=["*"],
        routes=[*pages.routes(contract.reference), *streams, *calls, signed(), unknown],
        request_body_buffer_limit=settings.body_limit_bytes,
    )
    return route.RouteConfiguration(
        name=NAME,
        virtual_hosts=[host],
        max_direct_response_body_size_bytes=pages.largest(contract.reference),
    )


def call(method: Method, settings: Settings) -> route.Route:
    """The route of a method with one request and one answer."""
    timeout = datetime.timedelta(seconds=settings.request_timeout_seconds)
    return route.Route(
        name=method.path, match=match(method), route=route.RouteAction(cluster=method.package, timeout=timeout)
    )


def stream(method: Method, settings: Settings) -> route.Route:
    """The route of a streaming method: it may last, but not be silent for ever."""
    action = route.RouteAction(
        cluster=method.package,
        timeout=NO_LIMIT,
        idle_timeout=datetime.timedelta(seconds=settings.stream_idle_seconds),
        max_stream_duration=route.RouteActionMaxStreamDuration(max_stream_duration=NO_LIMIT),
    )
    unbuffered = Any.pack(buffer.BufferPerRoute(disabled=True))
    return route.Route(
        name=method.path, match=match(method), route=action, typed_per_filter_config={BUFFER: unbuffered}
    )


def match(method: Method) -> route.RouteMatch:
    """Exactly the method's path, and only with a gRPC body: JSON sent to a gRPC path is an unknown method."""
    return route.RouteMatch(path=method.path, grpc=route.RouteMatchGrpcRouteMatchOptions())
