"""Signed requests: whether the signature is right, and whether it is of this time."""

import hmac
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from mesh.errors import FieldViolation, MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import request_signature
from vocabulary.request_signature import SignedRequest

_FORMS: Final = {name: re.compile(form) for name, form in request_signature.FORMS.items()}
HEADERS: Final = tuple(_FORMS)
"""The headers of a signed request, in lower case."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a right signature proves: that this client made this request, at the time that it states."""

    client_id: str
    timestamp_ms: int
    nonce: str


def is_signed(names: Iterable[str]) -> bool:
    """Whether any of these header names, in lower case, belongs to a signed request."""
    return not _FORMS.keys().isdisjoint(names)


class Signatures:
    """Checks signatures under the keys that follow from the master key."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def proof(self, verb: str, path: str, headers: Mapping[str, str]) -> Proof | None:
        """What the signature proves; None when it is wrong. MeshError(UNAUTHENTICATED), naming the headers, when one is
        missing, sent twice or not of its form.

        Takes as long for a client that does not exist as for one that does: every client id has a key.
        """
        _require_forms(headers)
        bare, _, query = path.partition("?")
        client_id, nonce = headers[request_signature.CLIENT], headers[request_signature.NONCE]
        timestamp = headers[request_signature.TIMESTAMP]
        stated = SignedRequest(
            verb, bare, query, timestamp, nonce, client_id, headers[request_signature.CONTENT_SHA256]
        )
        expected = stated.signature(request_signature.signing_key(self._master, client_id))
        if not hmac.compare_digest(expected, headers[request_signature.SIGNATURE]):
            return None
        return Proof(client_id, int(timestamp), nonce)


def require_current(proof: Proof, now_ms: int) -> None:
    """MeshError(SIGNATURE_EXPIRED) when the timestamp is too far from the platform's time."""
    ahead_ms = proof.timestamp_ms - now_ms
    if abs(ahead_ms) <= request_signature.SKEW_MS:
        return
    now = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    side = "ahead of" if ahead_ms > 0 else "behind"
    raise MeshError(
        reasons.ERROR_REASON_SIGNATURE_EXPIRED,
        f"The timestamp is {abs(ahead_ms) / 1000:.3f} s {side} the platform's time, which is {now}; "
        f"{request_signature.SKEW_MS // 1000} s are tolerated. Correct the clock and sign anew.",
        metadata={"differenceMs": str(ahead_ms), "serverTime": now},
    )


def require_body(headers: Mapping[str, str], body: bytes) -> None:
    """MeshError(BODY_DIGEST_MISMATCH) when the body is not the one that was signed; `headers` are those of a request
    whose signature is right.
    """
    stated = headers.get(request_signature.CONTENT_SHA256, "")
    if not hmac.compare_digest(sha256(body).hexdigest().encode(), stated.encode()):
        raise MeshError(
            reasons.ERROR_REASON_BODY_DIGEST_MISMATCH,
            "The body is not the one that was signed: hash the bytes as they are sent, after gzip.",
        )


def _require_forms(headers: Mapping[str, str]) -> None:
    wrong = [name for name, form in _FORMS.items() if not form.fullmatch(headers.get(name, ""))]
    if wrong:
        raise MeshError(
            reasons.ERROR_REASON_UNAUTHENTICATED,
            "A signed request has every header of a signature once, and each in its form.",
            fields=[_violation(name, headers) for name in wrong],
        )


def _violation(name: str, sent: Container[str]) -> FieldViolation:
    form = request_signature.FORMS[name]
    return FieldViolation(
        name,
        "signature.form" if name in sent else "signature.required",
        f"Send this header once, as {form}.",
        f"此请求头须且仅须发送一次，格式为 {form}。",
    )
