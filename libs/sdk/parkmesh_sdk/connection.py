"""Where the platform is and who calls it."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_HTTPS_PORT = 443


@dataclass(frozen=True)
class Connection:
    """Where the platform is and who calls it. The secret does not show in the repr.

    Raises ValueError when `url` is not an https address with a host and nothing behind the port.
    """

    url: str
    """The platform's address, such as `https://parking.example.cn:8443`; REST and gRPC share it."""
    client_id: str
    """The client id that the platform issued."""
    client_secret: str = field(repr=False)
    """Its secret."""
    ca: Path | None = None
    """A PEM file with the certificate authority to trust; None trusts the public ones."""
    deadline_s: float = 10.0
    """How long one call may take, in seconds; it is then given up, and its outcome is unknown."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("the platform's address must look like https://host:port")

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
