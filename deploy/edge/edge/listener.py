"""The listener: TLS, limits, HTTP rules, and the filters behind them."""

import datetime

from envoy_data_plane.envoy.config.common.mutation_rules import v3 as mutation
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.listener import v3 as listener
from envoy_data_plane.envoy.extensions.filters.network.connection_limit import v3 as connection_limit
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as manager
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation import v3 as early
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
from envoy_data_plane.google.protobuf import Any

from edge import access_log, refusals, routes, signing
from edge.contract import Contract
from edge.filters import http_filters
from edge.settings import Settings

SECRET = "server"  # noqa: S105
STREAM_WINDOW = 64 * 1024
CONNECTION_WINDOW = 1024 * 1024
BUFFER_BYTES = STREAM_WINDOW  # per connection, of which there may be thousands; whole bodies are held by the filters
STREAMS = 100
HEADERS_KB = 32
HEADERS = 64
CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
FROM_US = core.ConfigSource(ads=core.AggregatedConfigSource(), resource_api_version=core.ApiVersion.V3)


def edge_listener(contract: Contract, settings: Settings) -> listener.Listener:
    """The one listener for vendors: REST and gRPC, HTTP/1.1 and HTTP/2, TLS 1.2 and later."""
    limit = connection_limit.ConnectionLimit(stat_prefix="edge", max_connections=settings.connections)
    chain = listener.FilterChain(
        filters=[
            listener.Filter(name="envoy.filters.network.connection_limit", typed_config=Any.pack(limit)),
            listener.Filter(
                name="envoy.filters.network.http_connection_manager",
                typed_config=Any.pack(connection_manager(contract, settings)),
            ),
        ],
        transport_socket=core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=Any.pack(tls_context())),
        transport_socket_connect_timeout=datetime.timedelta(seconds=10),
    )
    at = core.SocketAddress(address=settings.address, port_value=settings.port)
    return listener.Listener(
        name="edge",
        address=core.Address(socket_address=at),
        filter_chains=[chain],
        per_connection_buffer_limit_bytes=BUFFER_BYTES,
        traffic_direction=core.TrafficDirection.INBOUND,
    )


def tls_context() -> tls.DownstreamTlsContext:
    """TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only."""
    parameters = tls.TlsParameters(
        tls_minimum_protocol_version=tls.TlsParametersTlsProtocol.TLSv1_2, cipher_suites=list(CIPHERS)
    )
    return tls.DownstreamTlsContext(
        common_tls_context=tls.CommonTlsContext(
            tls_params=parameters,
            alpn_protocols=["h2", "http/1.1"],
            tls_certificate_sds_secret_configs=[tls.SdsSecretConfig(name=SECRET, sds_config=FROM_US)],
        )
    )


def connection_manager(contract: Contract, settings: Settings) -> manager.HttpConnectionManager:
    """HTTP as strict as vendors' software allows; nothing that only we may say is taken from outside."""
    return manager.HttpConnectionManager(
        stat_prefix="edge",
        codec_type=manager.HttpConnectionManagerCodecType.AUTO,
        rds=manager.Rds(route_config_name=routes.NAME, config_source=FROM_US),
        http_filters=http_filters(contract, settings),
        local_reply_config=refusals.local_replies(),
        access_log=[access_log.access_log()],
        use_remote_address=True,
        generate_request_id=True,
        always_set_request_id_in_response=True,
        early_header_mutation_extensions=[strip()],
        forward_client_cert_details=manager.HttpConnectionManagerForwardClientCertDetails.SANITIZE,
        server_header_transformation=manager.HttpConnectionManagerServerHeaderTransformation.OVERWRITE,
        server_name="parkmesh",
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=manager.HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST,
        max_request_headers_kb=HEADERS_KB,
        request_headers_timeout=datetime.timedelta(seconds=10),
        stream_idle_timeout=datetime.timedelta(seconds=30),
        common_http_protocol_options=core.HttpProtocolOptions(
            idle_timeout=datetime.timedelta(minutes=10),
            max_connection_duration=datetime.timedelta(hours=24),
            max_stream_duration=datetime.timedelta(seconds=settings.request_duration_seconds),
            max_headers_count=HEADERS,
            headers_with_underscores_action=core.HttpProtocolOptionsHeadersWithUnderscoresAction.REJECT_REQUEST,
        ),
        http2_protocol_options=core.Http2ProtocolOptions(
            max_concurrent_streams=STREAMS,
            initial_stream_window_size=STREAM_WINDOW,
            initial_connection_window_size=CONNECTION_WINDOW,
            override_stream_error_on_invalid_http_message=True,
        ),
    )


def strip() -> core.TypedExtensionConfig:
    """Takes away every `x-parkmesh-…` header that came from outside, but for those of a signature, before anything can
    read it.
    """
    ours = mutation.HeaderMutation(remove_on_match=mutation.HeaderMutationRemoveOnMatch(key_matcher=signing.foreign()))
    return core.TypedExtensionConfig(
        name="envoy.http.early_header_mutation.header_mutation",
        typed_config=Any.pack(early.HeaderMutation(mutations=[ours])),
    )
