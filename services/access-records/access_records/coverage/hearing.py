"""When each lot was last heard of: a copy of what the history says, brought up to date when it is asked for."""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from vocabulary import beijing

from access_records.archive import Archive
from access_records.progress import Progress

_OVERLAP_MS: Final = beijing.HOUR_MS
"""By how much each look into the history overlaps the one before: acceptances are stamped by several clocks."""


class Heard(NamedTuple):
    """What was heard before an instant."""

    as_of_ms: int
    """Every record acknowledged before this instant is counted."""
    last_ms: Mapping[str, int]
    """When the last record of each lot was accepted; a lot without one is absent."""


class Hearing:
    """Keeps the last acceptance of each lot.

    The first look reads all of the history, each later one no more than what came since: a lot is never heard of
    earlier than before. Those who ask while one looks wait for its answer.
    """

    def __init__(self, archive: Archive, progress: Progress, refresh_ms: int) -> None:
        self._archive = archive
        self._progress = progress
        self._refresh_ms = refresh_ms
        self._looking = asyncio.Lock()
        self._looked_ms = 0
        self._heard: Heard | None = None

    async def heard(self, now_ms: int) -> Heard:
        """What was heard, as of at most `refresh_ms` ago or as far as the history has come. HistoryError and
        LogUnavailable when either does not answer.
        """
        async with self._looking:
            if self._heard is None or now_ms - self._looked_ms >= self._refresh_ms:
                self._heard = await self._look(self._heard, now_ms)
                self._looked_ms = now_ms
            return self._heard

    async def _look(self, before: Heard | None, now_ms: int) -> Heard:
        # Asked first: what comes in between is then in the rows though not promised, never the other way round.
        as_of_ms = await self._progress.all_complete_until_ms(now_ms)
        since_ms = max(0, before.as_of_ms - _OVERLAP_MS) if before else 0
        found = await self._archive.last_accepted(since_ms)
        return Heard(as_of_ms, {**(before.last_ms if before else {}), **found})
