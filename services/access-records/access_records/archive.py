"""What the service asks of the history: what was reported under an id, and a lot's records by time."""

import asyncio
from collections import UserString
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from history.client import HistoryClient, Row
from parkmesh.access.v1 import record_pb2

from access_records import tables
from access_records.queries import query
from access_records.together import Together

_READ_AS: Final = {
    "direction": "toInt8(direction) AS direction",
    "event_ms": "toUnixTimestamp64Milli(event_time) AS event_ms",
    "accept_ms": "toUnixTimestamp64Milli(accept_time) AS accept_ms",
    # A text to the driver, which reads texts as UTF-8 where it can.
    "plate_key": "hex(plate_key) AS plate_key",
    "made_ms": "ifNull(toUnixTimestamp64Milli(made_time), 0) AS made_ms",
    "revise_ms": "ifNull(toUnixTimestamp64Milli(revise_time), 0) AS revise_ms",
}
_CURRENT: Final = tuple(column for column in tables.CURRENT.columns if column != "gone")
# A look-up is short: more threads cost more than they save.
_SHORT: Final = {"max_threads": 1}
_MOST_IDS: Final = 4_000
_MOST_REPORTS: Final = 1_000
_MANY: Final = 500
"""Rows from which on it takes milliseconds to read them: the service answers others meanwhile."""
_EVER: Final = 2**64 - 1


RecordId = tuple[str, str]
"""Which record: its lot and its id within the lot."""
Report = record_pb2.LoggedRecord
"""A first report or a revision."""


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
        rows = await self._client.rows(query("first_digests"), _ids(records), settings=_SHORT)
        found: dict[RecordId, list[bytes]] = {}
        for lot_id, record_id, digest in rows:
            found.setdefault((lot_id, record_id), []).append(bytes(digest))
        return found

    async def reports(self, records: Iterable[RecordId], until: int = _EVER) -> dict[RecordId, list[Report]]:
        """All first reports and revisions under these ids, in no order, up to the log position `until`."""
        found: dict[RecordId, list[Report]] = {}
        asked = sorted(set(records))
        for start in range(0, len(asked), _MOST_REPORTS):
            part = asked[start : start + _MOST_REPORTS]
            rows = await self._client.rows(
                _with_columns("reports_of_records", tables.REVISIONS.columns),
                {**_ids(part), "until": until},
                settings=_SHORT,
            )
            found |= (
                await asyncio.to_thread(_reports, rows, set(part)) if len(rows) > _MANY else _reports(rows, set(part))
            )
        return found

    async def reports_between(self, shard: int, after: int, until: int) -> list[Report]:
        """What came into a shard of the log behind `after` and up to `until`, in its order."""
        rows = await self._client.rows(
            _with_columns("reports_between", tables.REVISIONS.columns),
            {"shard": shard, "after": after, "until": until},
        )
        return await asyncio.to_thread(lambda: [_logged(tables.REVISIONS.columns, row) for row in rows])

    async def orphans(self, until: int = _EVER) -> set[RecordId]:
        """The ids that have revisions and no first report, up to the log position `until`."""
        rows = await self._client.rows(query("orphaned_revisions"), {"until": until})
        return {(lot_id, record_id) for lot_id, record_id in rows}

    async def last_accepted(self, since_ms: int) -> dict[str, int]:
        """When the last first report of each lot was accepted, in epoch milliseconds; only of lots that sent one at or
        after `since_ms`.
        """
        return dict(await self._client.rows(query("last_accepted"), {"since": since_ms}))

    async def page(self, window: Window, after: tuple[int, str] | None, limit: int) -> list[record_pb2.LoggedRecord]:
        """The first `limit` current records of the window behind (event_ms, record_id), by event time, then id."""
        after_ms, after_id = after or (window.start_ms - 1, "")
        rows = await self._client.rows(
            _with_columns("page_of_records", _CURRENT),
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
        return [_logged(_CURRENT, row) for row in rows]


def _with_columns(name: str, columns: Iterable[str]) -> str:
    return query(name).replace("{columns}", ", ".join(_READ_AS.get(column, column) for column in columns))


def _ids(records: Iterable[RecordId]) -> dict[str, UserString]:
    lots, ids = map(set, zip(*records, strict=True))
    # No id holds what must be escaped, and a UserString is not: the driver looks at a str character by character.
    return {"lots": UserString(" ".join(lots)), "ids": UserString(" ".join(ids))}


def _reports(rows: Iterable[Row], wanted: Collection[RecordId]) -> dict[RecordId, list[Report]]:
    found: dict[RecordId, list[Report]] = {}
    for report in (_logged(tables.REVISIONS.columns, row) for row in rows):
        if (report.lot_id, report.record_id) in wanted:
            found.setdefault((report.lot_id, report.record_id), []).append(report)
    return found


def _logged(columns: Sequence[str], row: Sequence[Any]) -> record_pb2.LoggedRecord:
    values = dict(zip(columns, row, strict=True))
    values["plate_key"] = bytes.fromhex(values["plate_key"])
    record = record_pb2.LoggedRecord(**{name: value for name, value in values.items() if value is not None})
    record.event_time.FromMilliseconds(record.event_ms)
    return record
