"""Assertions with which the holder of a private key asks for a token (RFC 7523, private_key_jwt)."""

import re
from dataclasses import dataclass
from typing import Any, Final

import jwt

from registry.identity.verifying_key import VerifyingKey

AUDIENCE: Final = "parkmesh"
LONGEST_LIFE_S: Final = 300
SKEW_S: Final = 60
"""How far the clock of who asserts may be from the platform's."""

_CLIENT_ID: Final = re.compile("[A-Za-z0-9_-]{1,64}")
_LONGEST_ID: Final = 128
# The key follows from the client id alone; `kid` is sent by many libraries and says nothing here. Any other header
# (jku, jwk, x5c, crit …) is somebody's trick.
_HEADERS: Final = frozenset({"alg", "typ", "kid"})
_TYPES: Final = frozenset({"jwt", "client-authentication+jwt"})
_UNREADABLE: Final = jwt.PyJWTError


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an assertion says before it is checked."""

    client_id: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that was checked."""

    client_id: str
    id: str
    """Not to be used a second time before it is over."""
    over_ms: int
    """From when on it is refused anyway."""


def claimed(text: str) -> Claimed | None:
    """What it says of itself; None when it cannot be read."""
    try:
        header = jwt.get_unverified_header(text)
        client_id = jwt.decode(text, options={"verify_signature": False}).get("iss")
    except _UNREADABLE:
        return None
    if set(header) - _HEADERS or str(header.get("typ", "JWT")).casefold() not in _TYPES:
        return None
    algorithm = header.get("alg")
    if not isinstance(client_id, str) or not _CLIENT_ID.fullmatch(client_id) or not isinstance(algorithm, str):
        return None
    return Claimed(client_id, algorithm)


def verified(text: str, key: VerifyingKey, now_ms: int) -> Assertion | None:
    """The assertion, signed with the key, for this platform and at this time; None for any other."""
    # Claims are checked below, against the clock that is handed in.
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    try:
        claims = jwt.decode(text, key.key, algorithms=[key.algorithm], options=options)
    except _UNREADABLE:
        return None
    client_id, subject, id_ = (claims.get(name) for name in ("iss", "sub", "jti"))
    issued, expires, not_before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if not (type(issued) is int and type(expires) is int and type(not_before) is int):
        return None
    if not isinstance(client_id, str) or client_id != subject or claims.get("aud") not in (AUDIENCE, [AUDIENCE]):
        return None
    if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID or not id_.isascii():
        return None
    now_s = now_ms // 1000
    begins, ends = max(issued, not_before) - SKEW_S, expires + SKEW_S
    if not 0 < expires - issued <= LONGEST_LIFE_S or not begins <= now_s < ends:
        return None
    return Assertion(client_id, id_, ends * 1000)
