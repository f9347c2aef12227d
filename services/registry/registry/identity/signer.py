"""Access tokens: signed, short-lived, and never good for longer than the credential that they were made from."""

from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mesh.instants import ms_of
from mesh.settings import Secret
from parkmesh.registry.v1.vendor_pb2 import Credential

from registry.errors import BadCredential
from registry.identity.roles import kind_of
from registry.storage.reader import is_over

ISSUER: Final = "registry"


@dataclass(frozen=True, slots=True)
class Token:
    """A compact JWT and its life."""

    text: Secret
    expires_in: int
    """Seconds."""
    expire_ms: int


class Signer:
    """Makes tokens: EdDSA, with iss, sub (client id), subject, kind (as caller assertions have it), iat and exp."""

    def __init__(self, private_key_pem: bytes, token_seconds: int) -> None:
        """ValueError when the key is not an Ed25519 private key."""
        key = load_pem_private_key(private_key_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("REGISTRY_TOKEN_KEY: not an Ed25519 private key")  # noqa: TRY004 - a setting's value
        self._key = key
        self._token_seconds = token_seconds

    def token(self, credential: Credential, now_ms: int) -> Token:
        """A token for the holder of the credential, who has proved to be it. BadCredential when the credential is over,
        or in less than a second.
        """
        issued = now_ms // 1000
        expires = issued + self._token_seconds
        if credential.HasField("expire_time"):
            expires = min(expires, ms_of(credential.expire_time) // 1000)
        if is_over(credential, now_ms) or expires <= issued:
            raise BadCredential
        claims = {
            "iss": ISSUER,
            "sub": credential.client_id,
            "subject": credential.subject_id,
            "kind": kind_of(credential.role).value,
            "iat": issued,
            "exp": expires,
        }
        text = jwt.encode(claims, self._key, algorithm="EdDSA")
        return Token(Secret(text), expires - issued, expires * 1000)
