"""Access tokens: verified once, then remembered until they end or their credential changes."""

import collections
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ISSUER: Final = "registry"
_ALGORITHM: Final = "EdDSA"
_END: Final = "-----END PUBLIC KEY-----"
_LONGEST: Final = 4096
_REMEMBERED: Final = 20_000
_SKEW_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Token:
    """What a token of the registry says."""

    client_id: str
    subject: str
    expire_ms: int


class Tokens:
    """Reads tokens that the registry signed."""

    def __init__(self, keys: Sequence[Ed25519PublicKey], remembered: int = _REMEMBERED) -> None:
        self._keys = keys
        self._limit = remembered
        self._known: dict[str, Token] = {}
        self._of_client: dict[str, set[str]] = collections.defaultdict(set)

    def read(self, text: str, now_ms: int) -> Token | None:
        """What the token says; None when it is not the registry's, or not good at this time."""
        token = self._known.get(text)
        if token is None:
            token = self._verified(text, now_ms)
            if token is None:
                return None
            self._remember(text, token)
        if now_ms < token.expire_ms:
            return token
        self._forget(text, token)
        return None

    def drop(self, client_id: str) -> None:
        """Forgets the tokens of a credential."""
        for text in self._of_client.pop(client_id, ()):
            self._known.pop(text, None)

    def _remember(self, text: str, token: Token) -> None:
        while len(self._known) >= self._limit:
            oldest = next(iter(self._known))
            self._forget(oldest, self._known[oldest])
        self._known[text] = token
        self._of_client[token.client_id].add(text)

    def _forget(self, text: str, token: Token) -> None:
        self._known.pop(text, None)
        texts = self._of_client.get(token.client_id)
        if texts is not None:
            texts.discard(text)
            if not texts:
                del self._of_client[token.client_id]

    def _verified(self, text: str, now_ms: int) -> Token | None:
        # The times are checked against the clock that is handed in, not the machine's.
        options: Any = {
            "require": ["iss", "sub", "subject", "iat", "exp"],
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        }
        if len(text) > _LONGEST:
            return None
        for key in self._keys:
            try:
                claims = jwt.decode(text, key, algorithms=[_ALGORITHM], issuer=ISSUER, options=options)
            except jwt.PyJWTError:
                continue
            return _token(claims, now_ms)
        return None


def _token(claims: dict[str, Any], now_ms: int) -> Token | None:
    client_id, subject, issued, expires = (claims[name] for name in ("sub", "subject", "iat", "exp"))
    well_typed = all(type(text) is str for text in (client_id, subject)) and all(
        type(instant) is int for instant in (issued, expires)
    )
    if not well_typed or not subject or issued * 1000 > now_ms + _SKEW_MS:
        return None
    return Token(client_id, subject, expires * 1000)


def public_keys(pem: str) -> list[Ed25519PublicKey]:
    """The Ed25519 public keys of a PEM text, one or several; ValueError when there is none, or one of another kind."""
    keys = []
    for block in pem.split(_END)[:-1]:
        key = load_pem_public_key((block + _END).strip().encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("a key that checks tokens is an Ed25519 public key")  # noqa: TRY004 - a setting's value
        keys.append(key)
    if not keys:
        raise ValueError("no public key that checks tokens")
    return keys
