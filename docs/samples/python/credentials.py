"""Proves to the platform who calls: by access tokens, or by signing every request. 调用凭证"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import Protocol

from platform_api import Platform, RefusedError

_MARGIN_S = 60


class Credential(Protocol):
    """What both have in common."""

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """The headers for one attempt; path and body exactly as they are sent. 每次发送都须重新获取"""

    def discard(self) -> None:
        """The platform refused the last headers with 401: the next ones must be new. 收到 401 后作废"""


class AccessToken:
    """Client id and secret, exchanged for tokens; a token is renewed before it ends. 以密钥换取令牌，到期前更新"""

    def __init__(self, platform: Platform, client_id: str, client_secret: str) -> None:
        self._platform = platform
        self._body = json.dumps({"clientId": client_id, "clientSecret": client_secret}).encode()
        self._token = ""
        self._renew_at = 0.0

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """See Credential. RefusedError when the platform gives no token, OSError when it does not answer."""
        if not self._token or time.monotonic() >= self._renew_at:
            answer = self._platform.post("/v1/token", self._body, {})
            if answer.status != 200:
                raise RefusedError(answer)
            self._token = answer.content["accessToken"]
            self._renew_at = time.monotonic() + answer.content["expiresIn"] - _MARGIN_S
        return {"Authorization": f"Bearer {self._token}"}

    def discard(self) -> None:
        """See Credential."""
        self._token = ""


class RequestSignature:
    """Client id and signing key: every request is signed, see docs/request-signing.md. 请求签名"""

    def __init__(self, client_id: str, signing_key: str) -> None:
        self._client_id = client_id
        self._key = signing_key.encode()

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """See Credential: under a timestamp and a nonce of their own, good for 300 s and once."""
        return self.signed(method, path, "", str(time.time_ns() // 1_000_000), secrets.token_urlsafe(16), body)

    def discard(self) -> None:
        """See Credential: no two attempts share a signature."""

    def signed(self, method: str, path: str, query: str, timestamp: str, nonce: str, body: bytes) -> dict[str, str]:
        """The headers for this very request."""
        digest = hashlib.sha256(body).hexdigest()
        lines = ["PARKMESH-HMAC-SHA256-V1", method, path, query, timestamp, nonce, self._client_id, digest]
        return {
            "X-Parkmesh-Client": self._client_id,
            "X-Parkmesh-Timestamp": timestamp,
            "X-Parkmesh-Nonce": nonce,
            "X-Parkmesh-Content-SHA256": digest,
            "X-Parkmesh-Signature": hmac.new(self._key, "\n".join(lines).encode(), hashlib.sha256).hexdigest(),
        }
