"""What risk-control can be told."""

import dataclasses
import pathlib

from mesh.settings import BaseSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Read from RISK_CONTROL_<FIELD>; `registry_address` is required."""

    token_keys: pathlib.Path
    """PEM file with the registry's Ed25519 public keys, one or, while one replaces another, several."""
    requests_per_second: float = 100
    """What a vendor may send on average when the registry states nothing."""
    burst_seconds: float = 5
    """How many seconds' worth of requests a vendor may send at once after a pause."""
    public_requests_per_second: float = 50
    """What everybody together may send to each method that needs no token."""
    directory_max_age_hours: float = 24
    """How long to decide by what is known while the registry is away."""
