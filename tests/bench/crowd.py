"""Work on many things, so many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def at_once(workers: int, things: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Does the work for each thing, in their order, `workers` at a time; the first failure ends all."""
    left = iter(things)

    async def worker() -> None:
        for thing in left:
            await work(thing)

    tasks = [asyncio.create_task(worker()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
