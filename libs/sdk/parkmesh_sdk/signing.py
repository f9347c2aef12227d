"""Signed requests, for clients that cannot get tokens: the headers that take a token's place, over REST only."""

import secrets
import time
from collections.abc import Callable

from vocabulary.request_signature import SignedRequest, content_digest

_NONCE_BYTES = 16


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _nonce() -> str:
    return secrets.token_urlsafe(_NONCE_BYTES)


class RequestSigner:
    """Signs under a client's signing key; `now_ms` is Unix time, and no `nonce` comes twice."""

    def __init__(
        self, client_id: str, key: str, *, now_ms: Callable[[], int] = _now_ms, nonce: Callable[[], str] = _nonce
    ) -> None:
        self._client_id = client_id
        self._key = key
        self._now_ms = now_ms
        self._nonce = nonce

    def headers(self, verb: str, target: str, body: bytes) -> dict[str, str]:
        """The headers for one attempt, good for five minutes and once. `target` is the path with its query, `body` the
        bytes, both exactly as they are sent.
        """
        path, _, query = target.partition("?")
        request = SignedRequest(
            verb, path, query, str(self._now_ms()), self._nonce(), self._client_id, content_digest(body)
        )
        return request.headers(self._key)
