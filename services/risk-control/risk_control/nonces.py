"""The nonces of signed requests: each is good once, also after a restart."""

import asyncio
import logging
from typing import Any, Final

import redis.asyncio
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from vocabulary.request_signature import SKEW_MS

LIFE_MS: Final = 2 * SKEW_MS + 60_000
"""How long a nonce is remembered: longer than any request that holds it can be current, early timestamps included."""
_CONNECTIONS: Final = 32
_TIMEOUT_S: Final = 0.5
_RETRY_AFTER_MS: Final = 1000

_log = logging.getLogger(__name__)


class Nonces:
    """The nonces that were used, on a Valkey or Redis server, with an end each.

    They outlive restarts as surely as that server writes: the platform's log server has every one on disk before it
    answers.
    """

    def __init__(self, url: str) -> None:
        self._client = redis.asyncio.Redis.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._away = False

    async def use(self, client_id: str, nonce: str) -> None:
        """Uses a client's nonce up. MeshError(NONCE_REUSED) when it was used before, MeshError(SERVICE_UNAVAILABLE)
        when nobody can tell: then it may be used up or not.
        """
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._free:
                fresh: Any = await self._client.set(f"nonce:{client_id}:{nonce}", b"", nx=True, px=LIFE_MS)
        except (RedisError, OSError) as error:
            self._say_away(type(error).__name__)
            raise MeshError(
                reasons.ERROR_REASON_SERVICE_UNAVAILABLE,
                "Signed requests cannot be checked now. Sign anew and send the same again later.",
                retry_after_ms=_RETRY_AFTER_MS,
            ) from None
        self._away = False
        if not fresh:
            raise MeshError(
                reasons.ERROR_REASON_NONCE_REUSED,
                "This nonce was used before. Sign anew, with a new one, and send the same ids again.",
            )

    async def close(self) -> None:
        """Closes every connection."""
        await self._client.aclose()

    def _say_away(self, cause: str) -> None:
        if not self._away:
            self._away = True
            _log.warning("nonces away", extra={"cause": cause})
