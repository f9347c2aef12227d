"""Appends that arrive while another is under way travel together, as one call and one fsync."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from eventlog.record import Item, Result

Submission = tuple[Sequence[Item], asyncio.Future[list[Result]]]
Send = Callable[[Sequence[Item]], Awaitable[list[Result]]]


class Gathering:
    """Sends items in the order in which they came, one call at a time.

    A call carries as many waiting submissions as fit into `max_items` and `max_bytes`, and at least one. A caller who
    gives up does not stop what has been sent. A second call under way at once was measured: it makes batches smaller
    and single records a third dearer, and gains nothing, since the server does one thing at a time.
    """

    def __init__(self, send: Send, *, max_items: int = 2_000, max_bytes: int = 4 << 20) -> None:
        self._send = send
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[Submission] = deque()
        self._flight: asyncio.Task[None] | None = None

    async def submit(self, items: Sequence[Item]) -> list[Result]:
        """The answer to each item; the error of the call that carried them."""
        future: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, future))
        if self._flight is None:
            self._launch()
        return await future

    async def close(self) -> None:
        """Wait for what has been sent."""
        while self._flight is not None:
            await self._flight

    def _launch(self) -> None:
        batch: list[Submission] = []
        count = size = 0
        while self._waiting:
            items, future = self._waiting[0]
            if future.cancelled():
                self._waiting.popleft()
                continue
            count += len(items)
            size += sum(len(item.payload) for item in items)
            if batch and (count > self._max_items or size > self._max_bytes):
                break
            batch.append((items, future))
            self._waiting.popleft()
        if batch:
            self._flight = asyncio.create_task(self._fly(batch))

    async def _fly(self, batch: list[Submission]) -> None:
        try:
            results = await self._send(
                batch[0][0] if len(batch) == 1 else [item for items, _ in batch for item in items]
            )
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            at = 0
            for items, future in batch:
                if not future.done():
                    future.set_result(results[at : at + len(items)])
                at += len(items)
        finally:
            self._flight = None
            self._launch()
