"""Makes all visits anew from the records that hold, lot by lot, in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from history.client import HistoryClient
from history.writer import BatchWriter
from vocabulary import beijing

from access_records import tables
from access_records.queries import query
from access_records.visits.changes import TABLES, Rows
from access_records.visits.pairing import Limits, Passage, Visit, pair
from access_records.visits.passages import COLUMNS, of_row
from access_records.visits.visit_rows import Place, Seen, place_of, row_of, seen_in, tombstone, withdrawal

_PASSAGES: Final = 200_000
"""About so many records are held at once, if a lot has no more of them within the reach of a month."""
_MONTH_MS: Final = 31 * beijing.DAY_MS
_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Remaking:
    """Makes the visits of some lots anew, in store.visits itself. Raises HistoryUnavailable."""

    client: HistoryClient
    limits: Limits
    concerns: Callable[[str], bool]
    """Whether a lot is among them."""

    async def has_visits(self) -> bool:
        """Whether there are visits, of these lots or others."""
        return bool(await self.client.rows(query("any_visit")))

    async def remake(self, until: int) -> int:
        """Makes them of the records up to a position of the log, which is that of every lot; how many there are."""
        return await rebuild_visits(self.client, self.limits, lambda lot_id: until if self.concerns(lot_id) else None)


async def rebuild_visits(
    client: HistoryClient, limits: Limits, until_of: Callable[[str], int | None], into: str = tables.VISITS.name
) -> int:
    """Writes the visits of all lots into the table `into`, which is made as store.visits is; how many there are.

    `until_of` says up to which position of the log the records of a lot are taken, and is the version of its rows; a
    lot for which it is None is left out. In store.visits itself what stood before is replaced or taken away, by the
    plates as well; the projection must not run meanwhile. Read with FINAL, the rows are those that the projection has
    made when it has followed the log up to the same positions. Raises HistoryUnavailable.
    """
    live = into == tables.VISITS.name
    writer = BatchWriter(client, TABLES if live else [replace(tables.VISITS, name=into)])
    reach_ms = limits.near_ms + limits.named.near_ms
    written = 0
    for lot_id, first_ms, last_ms, count in await client.rows(query("lots_with_records")):
        until = until_of(lot_id)
        if until is None:
            continue
        for start_ms, end_ms in _windows(first_ms, last_ms, count, reach_ms):
            passages = await _passages(client, lot_id, start_ms - reach_ms, end_ms + reach_ms, until)
            visits = pair(passages, limits)
            rows = {
                place_of(visit.anchor): row_of(visit, until, limits)
                for visit in visits
                if start_ms <= visit.anchor.at_ms < end_ms
            }
            written += len(rows)
            if live:
                window = {"lot": lot_id, "start": start_ms, "end": end_ms}
                for at_ms, record_id in await client.rows(query("places_of_lot"), window):
                    place = (lot_id, at_ms, record_id)
                    rows.setdefault(place, tombstone(place, until))
                await writer.write({tables.WITHDRAWALS.name: await _withdrawn(client, window, visits, until)})
            for batch in _batches(rows):
                await writer.write({into: batch})
    return written


async def _withdrawn(client: HistoryClient, window: dict[str, Any], visits: Iterable[Visit], until: int) -> Rows:
    """What takes the visits that stand in a window of a lot from the plates by which they are found no more."""
    standing: set[Seen] = set()
    for at_ms, record_id, plate_key, exit_ms, exit_record_id, exit_plate_key in await client.rows(
        query("plates_of_visits"), window
    ):
        standing.add((bytes.fromhex(plate_key), (window["lot"], at_ms, record_id)))
        standing.add((bytes.fromhex(exit_plate_key), (window["lot"], exit_ms, exit_record_id)))
    rows: Rows = {}
    for seen in standing.difference(*map(seen_in, visits)):
        if seen[0]:
            rows.setdefault(beijing.month(seen[1][1]) // 100, []).append(withdrawal(seen, until))
    return rows


async def _passages(client: HistoryClient, lot_id: str, start_ms: int, end_ms: int, until: int) -> list[Passage]:
    sql = query("passages_of_lot").replace("{columns}", COLUMNS)
    found: list[Passage] = []
    window = {"lot": lot_id, "start": max(0, start_ms), "end": end_ms, "until": until}
    async with client.blocks(sql, window, settings={"max_threads": 1}) as blocks:
        async for rows in blocks:
            found += map(of_row, rows)
    return found


def _windows(first_ms: int, last_ms: int, count: int, reach_ms: int) -> Iterator[tuple[int, int]]:
    """Windows that cover the lot's records, as long as memory allows and at least a month."""
    per_month = count * _MONTH_MS // max(last_ms - first_ms, _MONTH_MS) + 1
    length_ms = max(_MONTH_MS, _PASSAGES // per_month * _MONTH_MS - 2 * reach_ms)
    start_ms = first_ms
    while start_ms <= last_ms:
        yield start_ms, start_ms + length_ms
        start_ms += length_ms


def _batches(rows: Mapping[Place, bytes]) -> Iterator[Rows]:
    batch: Rows = {}
    for number, ((_, at_ms, _), row) in enumerate(sorted(rows.items()), start=1):
        batch.setdefault(beijing.month(at_ms), []).append(row)
        if number % _ROWS == 0:
            yield batch
            batch = {}
    if batch:
        yield batch
