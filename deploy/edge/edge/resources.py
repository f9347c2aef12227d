"""Everything that Envoy is told, as one snapshot of resources by type."""

import hashlib
import pathlib
from collections.abc import Mapping
from typing import NamedTuple

from betterproto2 import Message
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
from envoy_data_plane.google.protobuf import Any

from edge import clusters, listener, routes
from edge.contract import Contract
from edge.filters import RISK_CONTROL
from edge.settings import Settings

PREFIX = "type.googleapis.com/"
CLUSTER = PREFIX + "envoy.config.cluster.v3.Cluster"
LISTENER = PREFIX + "envoy.config.listener.v3.Listener"
ROUTE = PREFIX + "envoy.config.route.v3.RouteConfiguration"
SECRET = PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"


class Resources(NamedTuple):
    """The resources of one type, packed, by name, and a version that follows from their bytes."""

    version: str
    packed: Mapping[str, Any]


Snapshot = Mapping[str, Resources]


def static(contract: Contract, settings: Settings) -> dict[str, Resources]:
    """What follows from the settings and the protos, which is everything but the certificate.

    ValueError when a package of the contract has no upstream, or an upstream is no `package=host:port`.
    """
    upstreams = addresses(contract, settings)
    all_clusters = [clusters.grpc_cluster(name, address) for name, address in upstreams.items()]
    return {
        CLUSTER: resources({cluster.name: cluster for cluster in all_clusters}),
        LISTENER: resources({"edge": listener.edge_listener(contract, settings)}),
        ROUTE: resources({routes.NAME: routes.route_configuration(contract, settings)}),
    }


def certificate(chain: bytes, key: pathlib.Path) -> Resources:
    """The server's certificate, and the file in which Envoy finds its key."""
    pair = tls.TlsCertificate(
        certificate_chain=core.DataSource(inline_bytes=chain), private_key=core.DataSource(filename=str(key))
    )
    return resources({listener.SECRET: tls.Secret(name=listener.SECRET, tls_certificate=pair)})


def addresses(contract: Contract, settings: Settings) -> dict[str, str]:
    """The address of every cluster, by its name: packages, and risk-control."""
    upstreams = {}
    for entry in settings.upstreams:
        package, equals, address = entry.partition("=")
        if not equals or ":" not in address:
            raise ValueError("an upstream is written as package=host:port")
        upstreams[package] = address
    if missing := [package for package in contract.packages if package not in upstreams]:
        raise ValueError(f"no upstream for {', '.join(missing)}")
    return {package: upstreams[package] for package in contract.packages} | {RISK_CONTROL: settings.risk_control}


def resources(messages: Mapping[str, Message]) -> Resources:
    """Packs resources; equal ones have equal versions, also after a restart."""
    packed = {name: Any.pack(message) for name, message in messages.items()}
    digest = hashlib.sha256()
    for name, message in sorted(packed.items()):
        digest.update(f"{name}\n{len(message.value)}\n".encode() + message.value)
    return Resources(digest.hexdigest()[:16], packed)
