"""What the control plane can be told."""

import dataclasses
import pathlib

from mesh.settings import BaseSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Read from `EDGE_…`; `listen` is where Envoy asks for its configuration, and belongs on loopback or in the
    cluster's own network.
    """

    address: str = "127.0.0.1"
    """Where the edge listens for vendors."""
    port: int = 8443
    """The port of both REST and gRPC."""
    certificates: pathlib.Path = pathlib.Path("var/certificates")
    """Folder of `server.pem` and `server.key`, and of `ca.pem` for those who trust it; a changed pair is in use within
    seconds.
    """
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    """Host names and addresses for a certificate of our own making, kept in that folder and renewed; empty: the pair
    comes from elsewhere.
    """
    upstreams: tuple[str, ...] = ()
    """Where each package is served: `parkmesh.registry.v1=127.0.0.1:5001`. Every package of the public contract needs
    one.
    """
    risk_control: str = "127.0.0.1:5003"
    """Where risk-control answers."""
    body_limit_bytes: int = 4 * 1024 * 1024
    """The largest request body after decompression."""
    unknown_fields_scan_bytes: int = 64 * 1024
    """How much of an upload's JSON is searched for unknown fields, about 3 µs per KiB; 0 turns the search off."""
    request_timeout_seconds: float = 15
    """How long a service may take to answer a call that is no stream."""
    request_duration_seconds: float = 60
    """How long such a call may take altogether, slow senders included."""
    stream_idle_seconds: float = 3600
    """How long a stream may be silent."""
    connections: int = 4000
    """Connections from outside at one time."""
