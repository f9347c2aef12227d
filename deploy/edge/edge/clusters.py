"""Where the edge sends requests: one cluster per service behind it."""

import datetime

from envoy_data_plane.envoy.config.cluster import v3 as cluster
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.endpoint import v3 as endpoint
from envoy_data_plane.envoy.extensions.upstreams.http import v3 as upstream
from envoy_data_plane.google.protobuf import Any

CONNECT_TIMEOUT = datetime.timedelta(seconds=1)
STREAM_WINDOW = 1024 * 1024
CONNECTION_WINDOW = 4 * 1024 * 1024
BUFFER_BYTES = 1024 * 1024  # per connection, which all calls to a service share
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def grpc_cluster(name: str, address: str) -> cluster.Cluster:
    """A cluster of the gRPC servers behind `address` (`host:port`; every address that the host name has).

    Its circuit breakers shed load long before a Python service would drown; nothing is ever sent twice.
    """
    host, _, port = address.rpartition(":")
    at = core.Address(socket_address=core.SocketAddress(address=host.strip("[]"), port_value=int(port)))
    member = endpoint.LbEndpoint(endpoint=endpoint.Endpoint(address=at))
    http2 = upstream.HttpProtocolOptionsExplicitHttpConfig(
        http2_protocol_options=core.Http2ProtocolOptions(
            max_concurrent_streams=1000,
            initial_stream_window_size=STREAM_WINDOW,
            initial_connection_window_size=CONNECTION_WINDOW,
            connection_keepalive=core.KeepaliveSettings(
                interval=datetime.timedelta(seconds=30), timeout=datetime.timedelta(seconds=5)
            ),
        )
    )
    return cluster.Cluster(
        name=name,
        type=cluster.ClusterDiscoveryType.STRICT_DNS,
        connect_timeout=CONNECT_TIMEOUT,
        per_connection_buffer_limit_bytes=BUFFER_BYTES,
        load_assignment=endpoint.ClusterLoadAssignment(
            cluster_name=name, endpoints=[endpoint.LocalityLbEndpoints(lb_endpoints=[member])]
        ),
        typed_extension_protocol_options={
            HTTP_OPTIONS: Any.pack(upstream.HttpProtocolOptions(explicit_http_config=http2))
        },
        circuit_breakers=cluster.CircuitBreakers(
            thresholds=[
                cluster.CircuitBreakersThresholds(
                    max_connections=64, max_pending_requests=256, max_requests=1024, max_retries=0
                )
            ]
        ),
        outlier_detection=cluster.OutlierDetection(
            consecutive_local_origin_failure=5, split_external_local_origin_errors=True, max_ejection_percent=50
        ),
    )
