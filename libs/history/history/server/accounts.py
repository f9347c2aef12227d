"""Who is calling: names and secrets checked in constant time against hashes."""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping

from history.server.config import Account


class Accounts:
    """The accounts of one server; their secrets are kept as keyed hashes only."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._key = os.urandom(32)
        self._known = {account.name: (self._digest(account.secret), account) for account in accounts}
        self._nobody = self._digest(os.urandom(16).hex())

    def authenticate(self, name: str, secret: str) -> Account | None:
        """The account, or None when the name is unknown or the secret wrong; both take the same time."""
        digest, account = self._known.get(name, (self._nobody, None))
        return account if hmac.compare_digest(digest, self._digest(secret)) else None

    def _digest(self, secret: str) -> bytes:
        return hmac.new(self._key, secret.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()


def credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    """The name and secret a request carries: basic auth, ClickHouse's own headers, or parameters; else empty texts."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, secret
    if "X-ClickHouse-User" in headers:
        return headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", "")
    return query.get("user", ""), query.get("password", "")
