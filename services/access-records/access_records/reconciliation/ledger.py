"""A lot's books as of a position of the log: a record that was touched after it counts as it was then.

The current rows say how each place (an event time and an id) is now. One that nothing after the position has touched is
as it was then; what held at the others is computed from the revisions up to the position.
"""

import asyncio
from collections import UserString
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from eventlog import Position
from history.client import HistoryClient, Row
from history.errors import HistoryUnavailable
from parkmesh.access.v1 import record_pb2
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import SUM_BYTES, Fingerprint

from access_records.archive import Archive, Report
from access_records.queries import query
from access_records.reconciliation.buckets import Buckets
from access_records.reconciliation.classify import Held, Refusal
from access_records.records.state import fold

MOST_TOUCHED: Final = 10_000
"""Places of a window that may have been touched since the position; see TooManyChanges."""
_ATTEMPTS: Final = 5
# Each month of events lies in a partition of its own, and an event's time is part of a row's key.
_FINAL: Final = {"do_not_merge_across_partitions_select_final": 1}

Place = tuple[int, str]
"""An event's time in epoch milliseconds, and a record."""
Found = TypeVar("Found")


class TooManyChanges(Exception):  # noqa: N818  # named for what the caller must know
    """More of the window has changed since the position than can be computed back."""


class Counted(NamedTuple):
    """How many records there are of one direction and class."""

    records: int = 0
    with_plate: int = 0
    manual_releases: int = 0


class Ledger:
    """Reads the books of lots. Every call raises HistoryUnavailable when there is no answer in time."""

    def __init__(self, client: HistoryClient, archive: Archive) -> None:
        self._client = client
        self._archive = archive

    async def fingerprints(self, lot_id: str, buckets: Buckets, at: Position) -> list[Fingerprint]:
        """The fingerprint of each bucket. TooManyChanges."""
        window = buckets.bounds
        length = {"length": buckets.length_ms}
        rows, before = await self._as_of(lot_id, window, at, "fingerprints_of_buckets", length)
        found = [Fingerprint()] * buckets.count
        for bucket, count, total in rows:
            found[bucket] = _summed(count, total)
        for record in before:
            found[(record.event_ms - window.start_ms) // buckets.length_ms] += Fingerprint(1, record.digest)
        return found

    async def counts(self, lot_id: str, day: Bounds, at: Position) -> dict[tuple[int, int], Counted]:
        """How many records of the day there are of each direction and class. TooManyChanges."""
        rows, before = await self._as_of(lot_id, day, at, "counts_of_day", {})
        found = {(direction, vehicle_class): Counted(*counts) for direction, vehicle_class, *counts in rows}
        for record in before:
            key = record.direction, record.vehicle_class
            one = found.get(key, Counted())
            found[key] = Counted(
                one.records + 1,
                one.with_plate + bool(record.plate_number),
                one.manual_releases + (record.release_method == record_pb2.RELEASE_METHOD_MANUAL),
            )
        return found

    async def held(
        self, lot_id: str, window: Bounds, after: str, limit: int, at: Position
    ) -> tuple[dict[str, list[Held]], str]:
        """What holds in the window under the first ids behind `after`, at least `limit` records if there are so many,
        and the last id that this covers; "" for all. TooManyChanges.
        """
        asked = {"after": after, "limit": limit + 1}
        rows, before = await self._as_of(lot_id, window, at, "held_in_window", asked)
        last = ""
        if len(rows) > limit:
            # An id that was used twice is not cut in two.
            last = max((row[0] for row in rows if row[0] != rows[-1][0]), default=rows[-1][0])
            rows = [row for row in rows if row[0] <= last]
        found: dict[str, list[Held]] = {}
        for record_id, digest, event_ms, revision, revise_ms in rows:
            found.setdefault(record_id, []).append(Held(bytes(digest), event_ms, revision, revise_ms))
        for record in before:
            if after < record.record_id and (not last or record.record_id <= last):
                found.setdefault(record.record_id, []).append(held_as(record))
        return found, last

    async def reports(self, lot_id: str, record_ids: Iterable[str]) -> dict[str, list[Report]]:
        """All that was ever reported under the ids."""
        asked = [(lot_id, record_id) for record_id in record_ids]
        found = await self._archive.reports(asked) if asked else {}
        return {record_id: reports for (_, record_id), reports in found.items()}

    async def refusals(self, lot_id: str, sent: Mapping[str, bytes]) -> dict[str, list[Refusal]]:
        """The refusals under each of the ids: of the records with the digests sent, and the last of each revision."""
        if not sent:
            return {}
        asked = {
            "lot": lot_id,
            "ids": UserString(" ".join(sent)),
            "digests": UserString(" ".join({digest.hex() for digest in sent.values()})),
        }
        found: dict[str, list[Refusal]] = {}
        for record_id, digest, *rest in await self._client.rows(query("refusals_of_records"), asked):
            found.setdefault(record_id, []).append(Refusal(bytes(digest), *rest))
        return found

    async def touched(self, lot_id: str, window: Bounds, at: Position) -> list[str]:
        """The ids under which something in the window was touched after the position, by id; of more than 10,000 places
        the first.
        """
        return sorted({record_id for _, record_id in await self._places(lot_id, window, at)})

    async def of_lots(self, lot_ids: Collection[str], day: Bounds) -> dict[str, Fingerprint]:
        """The fingerprints of the day as it stands now; lots without records are left out."""
        if not lot_ids:
            return {}
        rows = await self._client.rows(
            query("fingerprints_of_lots"),
            {"lots": UserString(" ".join(lot_ids)), "start": day.start_ms, "end": day.end_ms},
            settings=_FINAL,
        )
        return {lot_id: _summed(count, total) for lot_id, count, total in rows}

    async def _as_of(
        self, lot_id: str, window: Bounds, at: Position, name: str, further: Mapping[str, object]
    ) -> tuple[list[Row], list[Report]]:
        """The rows of a query over what was not touched, and what held before at the places that were."""
        asked = {"lot": lot_id, "start": window.start_ms, "end": window.end_ms, "until": at.offset, **further}

        async def untouched() -> list[Row]:
            return await self._client.rows(query(name), asked, settings=_FINAL)

        rows, places = await unmoved(untouched, lambda: self._touched(lot_id, window, at))
        return rows, await self._held_before(lot_id, places, at) if places else []

    async def _touched(self, lot_id: str, window: Bounds, at: Position) -> list[Place]:
        places = await self._places(lot_id, window, at)
        if len(places) > MOST_TOUCHED:
            raise TooManyChanges
        return places

    async def _places(self, lot_id: str, window: Bounds, at: Position) -> list[Place]:
        rows = await self._client.rows(
            query("touched_since"),
            {
                "lot": lot_id,
                "start": window.start_ms,
                "end": window.end_ms,
                "until": at.offset,
                "limit": MOST_TOUCHED + 1,
            },
        )
        return [(event_ms, record_id) for event_ms, record_id in rows]

    async def _held_before(self, lot_id: str, places: Collection[Place], at: Position) -> list[Report]:
        asked = {(lot_id, record_id) for _, record_id in places}
        found = await self._archive.reports(asked, until=at.offset)
        return await asyncio.to_thread(_holding_at, found.values(), set(places))


async def unmoved(
    untouched: Callable[[], Awaitable[Found]], touched: Callable[[], Awaitable[list[Place]]]
) -> tuple[Found, list[Place]]:
    """The answers to two questions that hold together: nothing was touched between them.

    What is touched only grows. The first answer lacks what was touched when it was given: when that is the same
    before and after it, and nothing is the same as nothing at the end, the two fit.
    """
    before: list[Place] = []
    for _ in range(_ATTEMPTS):
        found = await untouched()
        after = await touched()
        if after == before:
            return found, after
        before = after
    raise HistoryUnavailable("the window changes faster than it can be read")


def _summed(count: int, total: int) -> Fingerprint:
    return Fingerprint(count, total.to_bytes(SUM_BYTES))


def holding(reports: Sequence[Report]) -> list[Report]:
    """The records that hold by these reports of one id: one, or none when it is void or unknown; more when the id was
    used again, long after, for other facts, which stand where they happened.
    """
    state = fold(reports)
    if state is None:
        return []
    taken = state.places | {state.record.event_ms}
    others = {report.log_offset: report for report in reports if not report.revision and report.event_ms not in taken}
    return ([] if state.voided else [state.record]) + list(others.values())


def _holding_at(every: Iterable[Sequence[Report]], places: Collection[Place]) -> list[Report]:
    return [record for reports in every for record in holding(reports) if (record.event_ms, record.record_id) in places]


def held_as(record: Report, *, voided: bool = False) -> Held:
    """What is held, of a record as it holds."""
    return Held(record.digest, record.event_ms, record.revision, record.revise_ms, voided)
