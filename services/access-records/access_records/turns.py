"""Who may ask the history a heavy question now: so that nobody's figures keep the history's connections from others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

from mesh.caller import Caller
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2 as reasons

_RETRY_MS: Final = 2_000


class Turns:
    """So many heavy questions at once in this process, and of one credential one; further ones wait a while."""

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._any = asyncio.Semaphore(at_once)
        self._own: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._wait_s = wait_s

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator[None]:
        """The caller's turn, for the length of the block; RATE_LIMITED when it does not come in time."""
        # Who waits for a question of its own takes none of the others' turns meanwhile.
        own = self._own.setdefault(caller.credential, asyncio.Lock())
        try:
            async with asyncio.timeout(self._wait_s):
                await own.acquire()
                try:
                    await self._any.acquire()
                except asyncio.CancelledError:
                    own.release()
                    raise
        except TimeoutError:
            raise MeshError(
                reasons.ERROR_REASON_RATE_LIMITED,
                "Too many figures or exports are being computed: wait, then send the same again.",
                retry_after_ms=_RETRY_MS,
            ) from None
        try:
            yield
        finally:
            self._any.release()
            own.release()
