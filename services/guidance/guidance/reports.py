"""What each lot last reported as free: a copy in memory of `parkmesh.lot_latest`, read again every few seconds."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn

from history.client import HistoryClient
from history.errors import HistoryError

_log = logging.getLogger(__name__)
_QUERY: Final = "SELECT lot_id, free_spaces, toUnixTimestamp64Milli(event_time) FROM parkmesh.lot_latest"


class Report(NamedTuple):
    """A lot's last report of its free berths."""

    free_berths: int
    observed_ms: int
    """When that was so, in epoch milliseconds, by the lot's own clock."""


class Reports:
    """The last reports by lot.

    While the history is away they stay as they are, and so does the time for which each of them holds: whoever tells
    of them tells their age. Empty until they have been read once.
    """

    def __init__(self, history: HistoryClient, poll_seconds: float) -> None:
        self._history = history
        self._poll_seconds = poll_seconds
        self._known: Mapping[str, Report] = {}

    def of(self, lot_id: str) -> Report | None:
        """The lot's last report; None when it never reported, as far as is known here."""
        return self._known.get(lot_id)

    async def run(self) -> NoReturn:
        """Reads them again and again until cancelled; says once when the history goes, and once when it is back."""
        away = False
        while True:
            try:
                rows = await self._history.rows(_QUERY)
            except HistoryError as error:  # also before the history's schema has been made
                if not away:
                    _log.warning("free berths are as of before: %s", error)
                away = True
            else:
                self._known = {lot_id: Report(free, observed_ms) for lot_id, free, observed_ms in rows}
                if away:
                    _log.info("free berths are read again")
                away = False
            await asyncio.sleep(self._poll_seconds)
