"""Compares a load's books with all that the platform keeps: the log, the revisions, the current rows, the view."""

from history.client import HistoryClient
from local_platform.testing import RunningPlatform
from parkmesh.access.v1 import record_pb2

from ..city import analyst, drained, open_log, reader
from .books import Books, Stored, faults, holding

_KEY = "if(revision = 0, record_id, concat(record_id, '#', toString(revision)))"
_COLUMNS = "lot_id, toUnixTimestamp64Milli(event_time), plate_number, hex(digest)"


async def check(platform: RunningPlatform, books: Books, prefix: str) -> None:
    """Waits until the history has followed the log, then asserts that no promise of the books is broken anywhere."""
    await drained(platform)
    mine = {"prefix": f"{prefix}-"}
    async with reader(platform) as history, analyst(platform) as desk:
        places = {
            "log": await _logged(platform, prefix),
            # Without FINAL: two digests of one id would stand side by side, whatever has been merged.
            "revisions": await _rows(history, f"SELECT DISTINCT {_KEY}, {_COLUMNS} FROM store.record_revisions", mine),
        }
        for place, stored in places.items():
            assert not faults(books, stored), (place, faults(books, stored)[:5])
        assert set(places["revisions"]) == set(places["log"])
        expected = holding(books, (one.key for one in places["log"]))
        current = await _rows(history, f"SELECT record_id, {_COLUMNS} FROM store.records_current FINAL", mine)
        assert len(current) == len(expected)
        assert {one.key: (one.event_ms, one.plate) for one in current} == expected
        published = await desk.rows(
            "SELECT record_id FROM parkmesh.records WHERE startsWith(record_id, {prefix:String})", mine
        )
        assert sorted(record_id for (record_id,) in published) == sorted(expected)


async def _rows(history: HistoryClient, select: str, mine: dict[str, str]) -> list[Stored]:
    return [
        Stored(*row) for row in await history.rows(f"{select} WHERE startsWith(record_id, {{prefix:String}})", mine)
    ]


async def _logged(platform: RunningPlatform, prefix: str) -> list[Stored]:
    """The records of the load in the log itself, where each was appended at most once."""
    found = []
    async with await open_log(platform) as log:
        after = log.start(0)
        while entries := await log.read(after):
            after = entries[-1].position
            for entry in entries:
                for payload in entry.payloads:
                    one = record_pb2.LoggedRecord.FromString(payload)
                    if one.record_id.startswith(f"{prefix}-"):
                        key = f"{one.record_id}#{one.revision}" if one.revision else one.record_id
                        digest = one.digest.hex().upper()
                        found.append(Stored(key, one.lot_id, one.event_ms, one.plate_number, digest))
    return found
