"""What the history holds of the days of lots: what vendors told last, what was found to differ, what is closed."""

from collections import UserString
from collections.abc import Collection
from typing import Final, NamedTuple

from history.client import HistoryClient
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from access_records.queries import query
from access_records.reconciliation.report import Report, read
from access_records.reconciliation.signing import Signed

_NONE: Final = bytes(32)


class LastTold(NamedTuple):
    """The fingerprint of a day that a vendor told last, and when."""

    vendor: Fingerprint
    at_ms: int


class Closed(NamedTuple):
    """A closed day."""

    report: Report
    signed: Signed


class Differed(NamedTuple):
    """A record in which the books of a day differed."""

    record_id: str
    kind: int
    """When it was first found."""
    find_ms: int
    vendor_digest: bytes
    """As the vendor told it last; empty when it did not have the record."""


class DayBook:
    """Reads it. Every call raises HistoryUnavailable when there is no answer in time."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client

    async def told(self, lot_ids: Collection[str], day: Bounds) -> dict[str, LastTold]:
        """What was told last of the day, by lot; lots of which nobody told anything are left out."""
        rows = await self._client.rows(query("last_comparisons"), _asked(lot_ids, day)) if lot_ids else []
        return {lot_id: LastTold(Fingerprint(count, bytes(total)), at_ms) for lot_id, count, total, at_ms in rows}

    async def closed(self, lot_ids: Collection[str], day: Bounds) -> dict[str, Closed]:
        """The lots whose day is closed, with its report."""
        rows = await self._client.rows(query("closed_days_of_lots"), _asked(lot_ids, day)) if lot_ids else []
        return {lot_id: closed_as(text, key_id, bytes(signature)) for lot_id, text, key_id, signature in rows}

    async def differed(self, lot_id: str, day: Bounds, limit: int) -> list[Differed]:
        """The first `limit` records in which the books of the day differed, by id."""
        asked = {"lot": lot_id, "day": day.start_ms, "limit": limit}
        rows = await self._client.rows(query("differences_of_day"), asked)
        return [
            Differed(record_id, kind, find_ms, b"" if digest == _NONE else bytes(digest))
            for record_id, kind, find_ms, digest in rows
        ]


def closed_as(text: str, key_id: str, signature: bytes) -> Closed:
    """A closed day by its signed text."""
    return Closed(read(text), Signed(text, key_id, signature))


def _asked(lot_ids: Collection[str], day: Bounds) -> dict[str, UserString | int]:
    return {"lots": UserString(" ".join(lot_ids)), "day": day.start_ms}
