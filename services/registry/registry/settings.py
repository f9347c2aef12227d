"""What the registry can be told."""

import dataclasses
import pathlib

from mesh.settings import BaseSettings, Secret, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Read from REGISTRY_<FIELD>."""

    token_key: pathlib.Path
    """PEM file with the Ed25519 private key that signs access tokens; whoever checks tokens holds its public key."""
    master_key: pathlib.Path
    """File with the platform's master key, at least 32 bytes in base64url, hexadecimal or PEM. The keys of signed
    requests and the secrets of second factors follow from it: whoever changes it ends them all.
    """
    database_url: str = setting("sqlite:///registry.db", shared="DATABASE_URL")
    """Where the facts are kept: sqlite:///<path> or postgresql://<user>@<host>/<database>."""
    max_receive_bytes: int = 9 * 1024 * 1024
    """Largest message that is taken: a census of 8 MiB, and what stands beside it."""
    token_seconds: int = 900
    """For how long an access token is good."""
    admin_client_id: str = ""
    """Client id of the first system administrator, created at start when missing; empty: none is."""
    admin_client_secret: Secret | None = None
    """Its secret, at least 32 characters; when it differs from the one before, it replaces that."""
    security_admin_client_id: str = ""
    """The same of the first security administrator, who is another person."""
    security_admin_client_secret: Secret | None = None
    """Its secret, likewise."""
    audit_admin_client_id: str = ""
    """The same of the first audit administrator, a third person."""
    audit_admin_client_secret: Secret | None = None
    """Its secret, likewise."""
    session_hours: float = 8.0
    """For how long a person stays logged in."""
    activation_hours: float = 24.0
    """For how long the one-time code is good that an account is activated with."""
    separation_days: float = 90.0
    """For how long after an administrator's account was closed its person cannot hold another administrator's role."""
    poll_seconds: float = 0.25
    """How often to look for changes made by another process on the same database."""
    sign_of_life_seconds: float = 2.0
    """How often to tell the watchers of the directory that nothing has changed."""
