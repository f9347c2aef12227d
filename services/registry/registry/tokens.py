"""Access tokens: what a credential is exchanged for."""

from dataclasses import dataclass
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from mesh.caller import CallerKind
from mesh.clock import Clock

from registry.domain import NO_HASH, Role, is_secret
from registry.errors import BadCredential
from registry.store import Store, to_the_end

ISSUER: Final = "registry"

_KINDS: Final = {Role.VENDOR: CallerKind.VENDOR, Role.ADMINISTRATOR: CallerKind.ADMINISTRATOR}


@dataclass(frozen=True, slots=True)
class Token:
    """A compact JWT and its life."""

    text: str
    expires_in: int
    """Seconds."""
    expire_ms: int


class Tokens:
    """Makes tokens: EdDSA, with iss, sub (client id), vendor, kind (as caller assertions have it), iat and exp."""

    def __init__(self, store: Store, clock: Clock, private_key_pem: bytes, token_seconds: int) -> None:
        """ValueError when the key is not an Ed25519 private key."""
        key = load_pem_private_key(private_key_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("REGISTRY_TOKEN_KEY: not an Ed25519 private key")  # noqa: TRY004 - a setting's value
        self._store = store
        self._clock = clock
        self._key = key
        self._token_seconds = token_seconds

    @to_the_end
    async def issue(self, client_id: str, secret: str) -> Token:
        """A token for a good credential. BadCredential for any other, whatever is wrong with it."""
        async with self._store.reading() as facts:
            account = await facts.account(client_id)
        # The secret is hashed and compared for an unknown client id too, so that the time tells nothing.
        right = is_secret(secret, NO_HASH if account is None else account.secret_hash)
        now_ms = self._clock.now_ms()
        if account is None or not right or not account.credential.good_at(now_ms):
            raise BadCredential
        issued = now_ms // 1000
        expires = issued + self._token_seconds
        claims = {
            "iss": ISSUER,
            "sub": client_id,
            "vendor": account.credential.vendor_id,
            "kind": _KINDS[account.role].value,
            "iat": issued,
            "exp": expires,
        }
        return Token(jwt.encode(claims, self._key, algorithm="EdDSA"), self._token_seconds, expires * 1000)
