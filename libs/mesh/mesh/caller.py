"""Who calls: a signed assertion that is made once, sent with every call, and verified once."""

import dataclasses
import enum
import pathlib
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mesh.call import running_call

HEADER = "x-parkmesh-caller"
EDGE_ISSUER = "risk-control"
"""The only issuer that may speak for vendors and administrators; every other speaks for itself alone."""

_LIFETIME_S = 60
_RENEW_S = 20
_SKEW_S = 5
_LONGEST = 2048
_REMEMBERED = 10_000
_ALGORITHM = "EdDSA"
_CLAIMS = ["iss", "sub", "kind", "cred", "acct", "iat", "exp"]


class CallerKind(enum.Enum):
    """The kinds of caller; the names are those of the proto's Audience."""

    VENDOR = "vendor"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    DEPARTMENT = "department"
    ANALYST = "analyst"
    COLLECTOR = "collector"
    DEVICE = "device"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls."""

    kind: CallerKind
    subject: str
    """On whose behalf: vendor id, operator id, department, account id of a collector, lot id of a device, service."""
    credential: str = ""
    """Client id of the credential used; empty for services."""
    account: str = ""
    """The person's account; empty for software."""


class NotAsserted(Exception):  # noqa: N818 - it says what is the case
    """The assertion is missing or not to be believed. Which check failed is told to nobody."""


def current() -> Caller:
    """Who makes the running call. For methods that are not public; a LookupError elsewhere is a programming error."""
    caller = current_or_none()
    if caller is None:
        raise LookupError("no caller: outside of a call, or in a public method")
    return caller


def current_or_none() -> Caller | None:
    """Who makes the running call; None outside of one, and in a public method called without an assertion."""
    call = running_call.get()
    return call.caller if call else None


def generate_key_pair() -> tuple[str, str]:
    """A fresh Ed25519 key pair: (private PEM, public PEM)."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def trusted_in(folder: pathlib.Path) -> dict[str, str]:
    """The public keys in a folder of `<issuer>.pem`, as PEM text by issuer.

    A file may hold several keys while one replaces another. OSError when there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError("the folder of trusted callers does not exist")
    return {file.stem: file.read_text() for file in sorted(folder.glob("*.pem"))}


class Signer:
    """Asserts callers under one issuer's key. ValueError when the key is not an Ed25519 private key in PEM."""

    def __init__(self, issuer: str, private_key_pem: str) -> None:
        key = serialization.load_pem_private_key(private_key_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("a caller key is an Ed25519 private key")  # noqa: TRY004
        self.issuer = issuer
        self._key = key
        self._made: dict[Caller, tuple[str, int]] = {}

    def own(self) -> Caller:
        """The issuer itself, as a caller."""
        return Caller(CallerKind.SERVICE, self.issuer)

    def assertion(self, caller: Caller, now_ms: int) -> str:
        """The value of HEADER for the caller: good for at least 20 s more and at most 60 s. Made once, then given again
        until it has 20 s left.
        """
        now = now_ms // 1000
        made = self._made.get(caller)
        if made is not None and now <= made[1] - _RENEW_S and now >= made[1] - _LIFETIME_S:
            return made[0]
        expires = now + _LIFETIME_S
        claims = {
            "iss": self.issuer,
            "sub": caller.subject,
            "kind": caller.kind.value,
            "cred": caller.credential,
            "acct": caller.account,
            "iat": now,
            "exp": expires,
        }
        value = jwt.encode(claims, self._key, algorithm=_ALGORITHM)
        if len(self._made) >= _REMEMBERED:
            self._made.clear()
        self._made[caller] = (value, expires)
        return value


class Verifier:
    """Believes assertions of trusted issuers.

    `trusted` holds PEM text by issuer; ValueError when one is not an Ed25519 public key.
    """

    def __init__(self, trusted: Mapping[str, str]) -> None:
        self._verified: dict[str, tuple[Caller, int]] = {}
        self.trust(trusted)

    def trust(self, trusted: Mapping[str, str]) -> None:
        """Replaces whom to believe, at once: assertions already verified are verified anew. ValueError, and nothing
        replaced, when a key is not an Ed25519 public key.
        """
        self._keys = {issuer: _public_keys(pem) for issuer, pem in trusted.items()}
        self._verified.clear()

    def verify(self, value: str, now_ms: int) -> Caller:
        """Who calls, by the assertion; a dict lookup once it has been seen. NotAsserted when it is not to be believed
        at this time.
        """
        seen = self._verified.get(value)
        if seen is None:
            seen = self._examined(value, now_ms)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[value] = seen
        if now_ms >= seen[1]:
            self._verified.pop(value, None)
            raise NotAsserted
        return seen[0]

    def _examined(self, value: str, now_ms: int) -> tuple[Caller, int]:
        if len(value) > _LONGEST:
            raise NotAsserted
        try:
            # The key follows from the issuer alone: any other header (kid, jku, jwk, crit …) is somebody's trick.
            if set(jwt.get_unverified_header(value)) - {"alg", "typ"}:
                raise NotAsserted
            issuer = jwt.decode(value, options={"verify_signature": False})["iss"]
            claims = self._signed(value, self._keys[issuer])
            caller = Caller(CallerKind(claims["kind"]), claims["sub"], claims["cred"], claims["acct"])
            issued, expires = claims["iat"], claims["exp"]
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise NotAsserted from None
        texts = (caller.subject, caller.credential, caller.account)
        times = (issued, expires)
        if not all(type(text) is str for text in texts) or not all(type(instant) is int for instant in times):
            raise NotAsserted
        if not caller.subject or not 0 < expires - issued <= _LIFETIME_S or issued * 1000 > now_ms + _SKEW_S * 1000:
            raise NotAsserted
        if not _may_assert(issuer, caller):
            raise NotAsserted
        return caller, expires * 1000

    @staticmethod
    def _signed(value: str, keys: list[Ed25519PublicKey]) -> dict[str, Any]:
        # The times are checked against the clock that is handed in, not the machine's.
        options: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        for key in keys:
            try:
                return jwt.decode(value, key, algorithms=[_ALGORITHM], options=options)
            except jwt.InvalidSignatureError:
                continue
        raise NotAsserted


def _may_assert(issuer: str, caller: Caller) -> bool:
    if caller.kind is CallerKind.SERVICE:
        return caller.subject == issuer
    return issuer == EDGE_ISSUER


def _public_keys(pem: str) -> list[Ed25519PublicKey]:
    end = "-----END PUBLIC KEY-----"
    keys = []
    for block in pem.split(end)[:-1]:
        key = serialization.load_pem_public_key((block + end).strip().encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("a trusted caller's key is an Ed25519 public key")  # noqa: TRY004
        keys.append(key)
    if not keys:
        raise ValueError("a trusted caller's file holds no public key")
    return keys
