"""Signed requests: the headers, the canonical string, and the keys, for whoever signs and whoever checks.

The canonical string is eight lines of UTF-8, joined by a line feed, without one at the end:

    PARKMESH-HMAC-SHA256-V1
    method, upper-case
    path as sent, percent-encoding untouched, without the query
    query as sent, without the question mark; empty when there is none
    timestamp
    nonce
    client id
    SHA-256 of the body

Nothing is sorted, decoded or encoded anew, so no two languages can disagree. The signature is HMAC-SHA256 of it in
lower-case hexadecimal. Its key is the text of the signing key as it was issued, in UTF-8: not what it would decode to.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

VERSION: Final = "PARKMESH-HMAC-SHA256-V1"
"""The first line of the canonical string."""

CLIENT: Final = "x-parkmesh-client"
"""Header: the client id."""
TIMESTAMP: Final = "x-parkmesh-timestamp"
"""Header: Unix time in milliseconds, decimal."""
NONCE: Final = "x-parkmesh-nonce"
"""Header: a text of 16 to 64 letters, digits, `-` and `_` that the client never used before."""
CONTENT_SHA256: Final = "x-parkmesh-content-sha256"
"""Header: SHA-256 of the body, lower-case hexadecimal."""
SIGNATURE: Final = "x-parkmesh-signature"
"""Header: the signature, lower-case hexadecimal. A request that has it is a signed one."""

FORMS: Final = {
    CLIENT: "[A-Za-z0-9_-]{1,64}",
    TIMESTAMP: "[1-9][0-9]{0,14}",
    NONCE: "[A-Za-z0-9_-]{16,64}",
    CONTENT_SHA256: "[0-9a-f]{64}",
    SIGNATURE: "[0-9a-f]{64}",
}
"""Every header of a signed request, in lower case, and what its value looks like; RE2 and Python alike."""

SKEW_MS: Final = 300_000
"""How far a timestamp may be from the platform's time, either way; exactly this far is still good."""

_PURPOSE: Final = "parkmesh-signing-v1|"
_SHORTEST_MASTER: Final = 32
_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]+-----(.+)-----END [A-Z0-9 ]+-----", re.DOTALL)
_HEX: Final = re.compile(r"([0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature is about."""

    method: str
    """GET, POST …, in upper case."""
    path: str
    """As sent, without the query."""
    query: str
    """As sent, without the question mark; empty when there is none."""
    timestamp: str
    nonce: str
    client_id: str
    content_sha256: str
    """See `content_digest`."""

    def canonical(self) -> str:
        """The canonical string."""
        return "\n".join(
            (
                VERSION,
                self.method,
                self.path,
                self.query,
                self.timestamp,
                self.nonce,
                self.client_id,
                self.content_sha256,
            )
        )

    def signature(self, key: str) -> str:
        """The signature under a signing key: 64 lower-case hexadecimal digits."""
        return hmac.digest(key.encode(), self.canonical().encode(), "sha256").hex()

    def headers(self, key: str) -> dict[str, str]:
        """The headers that make a request a signed one; names in lower case, which HTTP takes like any other."""
        return {
            CLIENT: self.client_id,
            TIMESTAMP: self.timestamp,
            NONCE: self.nonce,
            CONTENT_SHA256: self.content_sha256,
            SIGNATURE: self.signature(key),
        }


def content_digest(body: bytes) -> str:
    """SHA-256 of a body in lower-case hexadecimal; of no bytes when there is none. What counts are the bytes on the
    wire: with `Content-Encoding: gzip` those of the packed body, with chunks those without the chunks' framing.
    """
    return sha256(body).hexdigest()


def signing_key(master: bytes, client_id: str) -> str:
    """The signing key of a client: 43 characters of base64url without padding. It follows from the master key, so
    nobody has to keep or send it.
    """
    digest = hmac.digest(master, f"{_PURPOSE}{client_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def master_key(text: str) -> bytes:
    """The master key from the text of its file: hexadecimal, base64 (plain or URL-safe), or base64 between PEM lines of
    any label. A text of an even number of hexadecimal digits is taken as such. ValueError, without the text, when it is
    none of them or has fewer than 32 bytes.
    """
    framed = _PEM.search(text)
    packed = "".join((framed[1] if framed else text).split())
    try:
        if _HEX.fullmatch(packed) and not framed:
            master = bytes.fromhex(packed)
        else:
            plain = packed.rstrip("=").translate(str.maketrans("-_", "+/"))
            master = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("a master key is hexadecimal, base64 or PEM") from None
    if len(master) < _SHORTEST_MASTER:
        raise ValueError(f"a master key has at least {_SHORTEST_MASTER} bytes")
    return master
