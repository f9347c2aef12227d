"""Where the platform is and who calls it."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_HTTPS_PORT = 443


@dataclass(frozen=True)
class Connection:
    """Where the platform is and who calls it. Neither secret nor key shows in the repr.

    Raises ValueError when `url` is not an https address with a host and nothing behind the port, or with both a secret
    and a signing key.
    """

    url: str
    """The platform's address, such as `https://parking.example.cn:8443`; REST and gRPC share it."""
    client_id: str
    """The client id that the platform issued."""
    client_secret: str = field(default="", repr=False)
    """Its secret, which tokens are got with."""
    ca: Path | None = None
    """A PEM file with the certificate authority to trust; None trusts the public ones."""
    deadline_s: float = 10.0
    """How long one call may take, in seconds; it is then given up, and its outcome is unknown."""
    signing_key: str = field(default="", repr=False)
    """In the place of a secret, for a client that signs its requests: its signing key. Needs REST."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("the platform's address must look like https://host:port")
        if self.client_secret and self.signing_key:
            raise ValueError("a client has a secret or a signing key, not both")

    @property
    def address(self) -> str:
        """Host and port, as gRPC names them."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return f"{f'[{host}]' if ':' in host else host}:{parts.port or _HTTPS_PORT}"

    @property
    def base_url(self) -> str:
        """The address without a slash at its end, to put a path behind."""
        return self.url.rstrip("/")
