"""What the service asks of the history: first reports by id, and a lot's records by time; all queries are here."""

from collections import UserString
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from history.client import HistoryClient
from parkmesh.access.v1 import record_pb2

from access_records import tables
from access_records.together import Together

_READ_AS: Final = {
    "direction": "toInt8(direction) AS direction",
    "event_ms": "toUnixTimestamp64Milli(event_time) AS event_ms",
    "accept_ms": "toUnixTimestamp64Milli(accept_time) AS accept_ms",
}
_COLUMNS: Final = ", ".join(_READ_AS.get(column, column) for column in tables.REVISIONS.columns)
# Two sets of plain texts: a set of pairs makes ClickHouse build and hash a pair for every row it looks at, three times
# the work. A lot's id may stand with another lot's record here; the caller asks by the pair. Bound as texts, since
# binding thousands of array elements would cost more than the look-up; no id holds a blank.
_AMONG: Final = "lot_id IN splitByChar(' ', {lots:String}) AND record_id IN splitByChar(' ', {ids:String})"
# A look-up is short: more threads cost more than they save.
_SHORT: Final = {"max_threads": 1}
_MOST_IDS: Final = 4_000
_BYTES: Final = ("digest", "plate_key")


RecordId = tuple[str, str]
"""Which record: its lot and its id within the lot."""


class Window(NamedTuple):
    """Which records of a lot: by event time, from `start_ms` on and before `end_ms`; direction 0 for both."""

    lot_id: str
    start_ms: int
    end_ms: int
    direction: int = 0


class Archive:
    """The history, read through one account. Every call raises HistoryUnavailable when there is no answer in time."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client
        self._digests = Together(self._ask_digests, most=_MOST_IDS)

    async def digests(self, records: Collection[RecordId]) -> dict[RecordId, list[bytes]]:
        """The digests of all first reports under these ids, the earliest first; ids without one are left out.

        More than one means that an id was used again, long after, for other facts. Others may be told of as well.
        """
        return await self._digests.look_up(records)

    async def _ask_digests(self, records: Collection[RecordId]) -> dict[RecordId, list[bytes]]:
        rows = await self._client.rows(
            "SELECT lot_id, record_id, digest FROM store.record_revisions"  # noqa: S608 - the condition is our own
            f" WHERE {_AMONG} AND revision = 0 ORDER BY log_offset",
            _ids(records),
            settings=_SHORT,
        )
        found: dict[RecordId, list[bytes]] = {}
        for lot_id, record_id, digest in rows:
            found.setdefault((lot_id, record_id), []).append(bytes(digest))
        return found

    async def first_reports(self, records: Iterable[RecordId]) -> dict[RecordId, record_pb2.LoggedRecord]:
        """The earliest first report under each of these ids, and perhaps others; ids without one are left out."""
        rows = await self._client.rows(
            f"SELECT {_COLUMNS} FROM store.record_revisions"  # noqa: S608 - columns are our own
            f" WHERE {_AMONG} AND revision = 0 ORDER BY log_offset LIMIT 1 BY lot_id, record_id",
            _ids(records),
            settings=_SHORT,
        )
        return {(report.lot_id, report.record_id): report for report in map(_logged, rows)}

    async def last_accepted(self, since_ms: int) -> dict[str, int]:
        """When the last first report of each lot was accepted, in epoch milliseconds.

        Only of lots that sent one at or after `since_ms`: the months before are not read at all.
        """
        rows = await self._client.rows(
            "SELECT lot_id, toUnixTimestamp64Milli(max(accept_time)) FROM store.record_revisions"
            " WHERE revision = 0 AND accept_time >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY lot_id",
            {"since": since_ms},
        )
        return dict(rows)

    async def page(self, window: Window, after: tuple[int, str] | None, limit: int) -> list[record_pb2.LoggedRecord]:
        """The first `limit` current records of the window behind (event_ms, record_id), by event time, then id."""
        after_ms, after_id = after or (window.start_ms - 1, "")
        rows = await self._client.rows(
            f"SELECT {_COLUMNS} FROM store.records_current FINAL"  # noqa: S608 - columns are our own
            " WHERE lot_id = {lot:String}"
            " AND event_time >= fromUnixTimestamp64Milli({start:Int64})"
            " AND event_time < fromUnixTimestamp64Milli({end:Int64})"
            " AND (toUnixTimestamp64Milli(event_time), record_id) > ({after_ms:Int64}, {after_id:String})"
            " AND ({direction:Int8} = 0 OR toInt8(direction) = {direction:Int8})"
            " ORDER BY event_time, record_id LIMIT {limit:UInt32}",
            {
                "lot": window.lot_id,
                "start": max(window.start_ms, after_ms),
                "end": window.end_ms,
                "after_ms": after_ms,
                "after_id": after_id,
                "direction": window.direction,
                "limit": limit,
            },
        )
        return [_logged(row) for row in rows]


def _ids(records: Iterable[RecordId]) -> dict[str, UserString]:
    lots, ids = map(set, zip(*records, strict=True))
    # No id holds what must be escaped, and a UserString is not: the driver looks at a str character by character.
    return {"lots": UserString(" ".join(lots)), "ids": UserString(" ".join(ids))}


def _logged(row: Sequence[Any]) -> record_pb2.LoggedRecord:
    values = dict(zip(tables.REVISIONS.columns, row, strict=True))
    for column in _BYTES:
        value = values[column]
        values[column] = value if isinstance(value, bytes) else value.encode("latin-1")
    record = record_pb2.LoggedRecord(**{name: value for name, value in values.items() if value is not None})
    record.event_time.FromMilliseconds(record.event_ms)
    return record
