"""What is known of records at this moment: what the log still holds of them, and the history what it holds no more."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Final

from eventlog import EventLog, item_key
from history.errors import HistoryError

from access_records.archive import Archive, RecordId, Report
from access_records.records import logged
from access_records.records.state import MOST_REVISIONS

_NUMBERS: Final = range(MOST_REVISIONS + 1)


def key_of(lot_id: str, record_id: str, revision: int = 0) -> bytes:
    """The key under which the log holds a report at most once. No record id holds a number sign."""
    return item_key(lot_id, f"{record_id}#{revision}" if revision else record_id)


@dataclass(frozen=True, slots=True)
class States:
    """Finds what was reported under ids, from the moment it was acknowledged."""

    log: EventLog
    archive: Archive

    async def reports(self, records: Collection[RecordId]) -> dict[RecordId, list[Report]]:
        """All reports and revisions under these ids, in no order; an id that nobody has used is left out.

        Raises LogUnavailable; HistoryError only when the history alone could tell: while it is away, records are as the
        log's index knows them, which may have forgotten a revision that came long before its record.
        """
        found: dict[RecordId, list[Report]] = {}
        remote: set[RecordId] = set()
        by_shard: dict[int, list[RecordId]] = {}
        for record in set(records):
            by_shard.setdefault(self.log.shard_of(record[0]), []).append(record)
        for shard, ones in by_shard.items():
            places = await self._places(shard, ones)
            payloads = await self.log.get_all(shard, {offset for _, offset in places.values()})
            first_known = {record for record, number in places if number == 0}
            remote.update(record for record in ones if record not in first_known)
            for (record, _), (_, offset) in places.items():
                payload = payloads.get(offset)
                if payload is None:
                    remote.add(record)
                else:
                    found.setdefault(record, []).append(logged.read(logged.placed(payload, shard, offset)))
        try:
            held = await self.archive.reports(records)
        except HistoryError:
            if remote:
                raise
            return found
        for record, reports in held.items():
            # What is in both places is the same report, and harmless twice.
            found.setdefault(record, []).extend(reports)
        return found

    async def _places(self, shard: int, records: list[RecordId]) -> dict[tuple[RecordId, int], tuple[int, int]]:
        """Where the log's index says that reports of these records are: (shard, offset) by record and number."""
        asked = list(product(records, _NUMBERS))
        places: dict[tuple[RecordId, int], tuple[int, int]] = {}
        for start in range(0, len(asked), _MOST_KEYS):
            part = asked[start : start + _MOST_KEYS]
            keys = [key_of(*record, number) for record, number in part]
            for one, known in zip(part, await self.log.find(shard, keys), strict=True):
                if known is not None:
                    places[one] = (shard, known.offset)
        return places


_MOST_KEYS: Final = 6_500
"""Keys in one look-up of the index: the log server does nothing else meanwhile."""
