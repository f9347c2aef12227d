"""What risk-control can be told."""

import dataclasses
import pathlib

from mesh.settings import BaseSettings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Read from RISK_CONTROL_<FIELD>; `registry_address` is required."""

    token_keys: pathlib.Path
    """PEM file with the registry's Ed25519 public keys, one or, while one replaces another, several."""
    signing_key: pathlib.Path | None = None
    """File with the master key that the keys of signed requests follow from, the registry's own: at least 32 bytes in
    PEM, hexadecimal or base64. None: no signed requests are taken.
    """
    redis_url: str = setting("", shared="REDIS_URL")
    """Where the nonces of signed requests are kept; needed with `signing_key`. The log server: it forgets nothing."""
    max_receive_bytes: int = 5 * 1024 * 1024
    """Largest message that is taken; the edge sends the bodies of signed requests, up to its limit, with headers."""
    requests_per_second: float = 100
    """What a vendor may send on average when the registry states nothing."""
    burst_seconds: float = 5
    """How many seconds' worth of requests a vendor may send at once after a pause."""
    public_requests_per_address: float = 50
    """What one address may send to each method that needs no token; many people may share one."""
    public_requests_per_second: float = 1000
    """What everybody together may send to each of these methods."""
    directory_max_age_hours: float = 24
    """How long to decide by what is known while the registry is away."""
