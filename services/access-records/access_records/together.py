"""Questions that arrive while another is being asked are asked together, as one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """Looks keys up by one call at a time, which carries all that waited for the call before.

    A look-up costs ClickHouse tens of milliseconds however few its keys are.
    """

    def __init__(self, ask: Callable[[Collection[K]], Awaitable[dict[K, V]]], *, most: int) -> None:
        """A call carries up to `most` keys, and the keys of at least one caller."""
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Collection[K], asyncio.Future[dict[K, V]]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def look_up(self, keys: Collection[K]) -> dict[K, V]:
        """What is known of the keys, and perhaps of others; raises what the call raised."""
        answer: asyncio.Future[dict[K, V]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._go())
        return await answer

    async def _go(self) -> None:
        while self._waiting:
            taken = [self._waiting.pop(0)]
            if taken[0][1].cancelled():
                continue  # whoever gave up is not asked for: the others would wait for that
            keys = set(taken[0][0])
            while self._waiting and len(keys) + len(self._waiting[0][0]) <= self._most:
                taken.append(self._waiting.pop(0))
                keys.update(taken[-1][0])
            try:
                found = await self._ask(keys)
            except Exception as error:
                # Those who wait are told too: one deadline after the other would hold them, and the service's calls.
                taken += self._waiting
                self._waiting = []
                for _, answer in taken:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for _, answer in taken:
                    if not answer.done():
                        answer.set_result(found)
        self._asking = None
