"""The fingerprint of every lot-day as of a position of the log: how many records held, and the sum of their digests.

Two histories that hold the same records have equal fingerprints, whatever came behind the position in one of them.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from history.client import HistoryClient, Row
from vocabulary import beijing

from access_records.archive import Archive, RecordId
from access_records.queries import query
from access_records.records.state import current_rows

MODULUS: Final = 2**256
"""Digests are added up as 256-bit numbers."""
_DEADLINE_S: Final = 3600.0
# The sums and the places that they leave out must be of one instant: records are revised meanwhile.
_AT_ONCE: Final = {"enable_shared_storage_snapshot_in_query": 1}


class LotDay(NamedTuple):
    """A lot and a Beijing day, YYYY-MM-DD."""

    lot_id: str
    day: str


class Fingerprint(NamedTuple):
    """Of the records that hold on a lot-day."""

    records: int
    """How many."""
    digest_sum: int


NONE: Final = Fingerprint(0, 0)
"""Of no record."""


class Fingerprints:
    """Reads them from the history. Every call raises HistoryUnavailable when there is no answer in time."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client
        self._archive = Archive(client)

    async def as_of(self, until: Sequence[int]) -> dict[LotDay, Fingerprint]:
        """Of all lot-days with records, as of the offset of each shard of the record log, from shard 0 on."""
        found: dict[LotDay, Fingerprint] = {}
        for (month,) in await self._client.rows(query("partitions_of"), {"table": "records_current"}):
            asked = {"month": month, "until": list(until)}
            async with self._client.blocks(query("lot_days"), asked, settings=_AT_ONCE, deadline=_DEADLINE_S) as blocks:
                async for rows in blocks:
                    await self._add(found, rows, until)
        return found

    async def _add(self, found: dict[LotDay, Fingerprint], rows: Iterable[Row], until: Sequence[int]) -> None:
        """Adds what holds unchanged, and what held at places that have changed since."""
        places: dict[int, dict[RecordId, set[int]]] = {}
        for lot_id, changed_id, changed_ms, shard, day, count, total in rows:
            if changed_id:
                places.setdefault(shard, {}).setdefault((lot_id, changed_id), set()).add(changed_ms)
            else:
                _add_to(found, LotDay(lot_id, day), count, total)
        for shard, records in places.items():
            for record, reports in (await self._archive.reports(records, until[shard])).items():
                for row in current_rows(reports):
                    if row.event_ms in records[record] and not row.gone:
                        key = LotDay(row.lot_id, beijing.day_key(row.event_ms))
                        _add_to(found, key, 1, int.from_bytes(row.digest))


def _add_to(found: dict[LotDay, Fingerprint], key: LotDay, count: int, total: int) -> None:
    before = found.get(key, NONE)
    found[key] = Fingerprint(before.records + count, (before.digest_sum + total) % MODULUS)
