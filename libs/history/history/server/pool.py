"""Handles kept ready per account, so that a client's settings are made once, not with every statement."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from history.server.config import Account
from history.server.engine import Engine, Handle
from history.server.failure import TOO_MANY_QUERIES, refusal

T = TypeVar("T")
_Key = tuple[str, tuple[tuple[str, str], ...]]


class Pool:
    """One account's handles and threads. No account waits for another's."""

    def __init__(self, engine: Engine, account: Account) -> None:
        self.account = account
        self._engine = engine
        self._fixed = {name: str(value) for name, value in account.limits.engine().items()}
        self._idle: OrderedDict[_Key, list[Handle]] = OrderedDict()
        self._lock = threading.Lock()
        self._slots = asyncio.Semaphore(account.limits.max_concurrent_queries)
        self._threads = ThreadPoolExecutor(account.limits.max_concurrent_queries, f"engine-{account.name}")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """The right to run one statement; raises Failure when none is free in time."""
        try:
            async with asyncio.timeout(self.account.limits.queue_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise refusal(TOO_MANY_QUERIES, "Too many queries of this account at once.") from None
        try:
            yield
        finally:
            self._slots.release()

    def start(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Run blocking work on a thread of this account; the caller holds a slot."""
        return asyncio.get_running_loop().run_in_executor(self._threads, work)

    def take(self, database: str, settings: Mapping[str, str]) -> tuple[_Key, Handle]:
        """A handle with these settings, from the idle ones or new. Raises Failure when a setting is refused."""
        key = (database, tuple(sorted(settings.items())))
        with self._lock:
            if idle := self._idle.pop(key, None):
                handle = idle.pop()
                if idle:
                    self._idle[key] = idle
                return key, handle
        fixed = {name: value for name, value in self._fixed.items() if not _asks_less(settings.get(name), value)}
        return key, self._engine.handle(self.account.kind, database, settings, fixed)

    def give(self, key: _Key, handle: Handle) -> None:
        """Take a handle back; the one idle longest is closed when there are too many."""
        surplus = None
        with self._lock:
            self._idle.setdefault(key, []).append(handle)
            self._idle.move_to_end(key)
            if sum(map(len, self._idle.values())) > 2 * self.account.limits.max_concurrent_queries:
                oldest = next(iter(self._idle))
                surplus = self._idle[oldest].pop(0)
                if not self._idle[oldest]:
                    del self._idle[oldest]
        if surplus:
            surplus.close()

    def close(self) -> None:
        """Wait for what runs, then close every handle."""
        self._threads.shutdown()
        for handles in self._idle.values():
            for handle in handles:
                handle.close()
        self._idle.clear()


def _asks_less(asked: str | None, most: str) -> bool:
    return asked is not None and asked.isascii() and asked.isdigit() and 0 < int(asked) <= int(most)
