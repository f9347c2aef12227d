"""The directory's source: every change, in order, as soon as it is committed, be it by this process or another."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from mesh.clock import Clock

from registry.errors import StoreUnavailable
from registry.storage.reader import Page
from registry.storage.store import Store, to_the_end

_FACTS_PER_PAGE: Final = 2000

_log = logging.getLogger(__name__)


class Feed:
    """Follows one store for any number of watchers."""

    def __init__(
        self, store: Store, clock: Clock, *, poll_seconds: float, sign_of_life_seconds: float, draining: asyncio.Event
    ) -> None:
        """Watches end when `draining` is set."""
        self._store = store
        self._clock = clock
        self._draining = draining
        self._poll_seconds = poll_seconds
        self._sign_of_life_seconds = sign_of_life_seconds
        self._moved = asyncio.Event()
        store.subscribe(self._move)

    async def run(self) -> None:
        """Looks for changes made by other processes, until cancelled; those of this one need no look."""
        known = None
        away = False
        while True:
            try:
                position = await self._position()
            except StoreUnavailable:
                if not away:
                    _log.warning("the database is not available")
                away = True
            else:
                away = False
                if position != known:
                    known = position
                    self._move()
            await asyncio.sleep(self._poll_seconds)

    async def watch(self, epoch: str, since: int, kinds: Sequence[str] = ()) -> AsyncGenerator[Page, None]:
        """The facts of these kinds (none named: all) changed after that revision, then every change.

        All facts when the revision is not one of this epoch.

        A complete page comes at least once per sign of life, if need be without facts. StoreUnavailable ends it.
        """
        fresh = False
        while True:
            moved = self._moved  # taken before reading: a change in between is not slept through
            page = await self._page(epoch, since, kinds, fresh=fresh)
            yield page
            epoch, since = page.epoch, page.revision
            fresh = (fresh or page.snapshot) and not page.complete
            if page.complete:
                await self._until(moved)
            if self._draining.is_set():
                return

    @to_the_end
    async def _position(self) -> tuple[str, int]:
        async with self._store.reading() as facts:
            return await facts.position()

    @to_the_end
    async def _page(self, epoch: str, since: int, kinds: Sequence[str], *, fresh: bool) -> Page:
        async with self._store.reading() as facts:
            now_ms = self._clock.now_ms()
            return await facts.page(epoch, since, _FACTS_PER_PAGE, kinds, fresh=fresh, now_ms=now_ms)

    async def _until(self, moved: asyncio.Event) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (moved, self._draining)]
        try:
            await asyncio.wait(waits, timeout=self._sign_of_life_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
