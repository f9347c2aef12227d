"""What reconciliation costs over a large history: fingerprints of a lot's month and of a city's day, and how many
questions and bytes it takes to find one differing record, and a thousand, among the many of a lot.

The history is made by its own engine, and the service is composed over it in this process; times include the calls.
"""

import asyncio
import copy
import hashlib
import json
import random
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from access_records.archive import Archive
from access_records.reconciliation.buckets import Buckets
from access_records.reconciliation.ledger import Ledger
from access_records.testing import LOT, Platform, composed
from eventlog import Position
from eventlog.server import running as running_log
from google.protobuf import json_format
from google.protobuf.message import Message
from history.client import Account, HistoryClient
from history.server.testing import RunningServer, running_server
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from .ledger import Void
from .repeat import Repeat

_FIRST_MS: Final = beijing.day_bounds_of("2099-12-01").start_ms
_DAYS: Final = 31
_MONTH: Final = Bounds(_FIRST_MS, _FIRST_MS + _DAYS * beijing.DAY_MS)
_START: Final = Position("bench", 0, 0)
_SAMPLES: Final = 11
_FEW: Final = 3
"""Samples of a quick bench."""
_AT_ONCE: Final = 4
_DEADLINE_S: Final = 600.0
_STEPS: Final = {
    messages.STEP_DAY: beijing.DAY_MS,
    messages.STEP_HOUR: beijing.HOUR_MS,
    messages.STEP_MINUTE: beijing.MINUTE_MS,
}
_ROWS: Final = """
INSERT INTO store.{table}
    (lot_id, record_id, direction, event_ms, vehicle_class, accept_ms, digest, vendor_id, log_shard, log_offset)
SELECT {lot}, concat('r-', leftPad(toString(number), 9, '0')), 'entry', at, 1, at + 300,
    SHA256(toString(number)), 'v', 0, 0
FROM (SELECT number, {first} + intDiv((number - {begin}) * {span}, {count}) AS at FROM numbers({begin}, {count}))
"""


async def reconciliation(repeat: Repeat) -> None:
    """Everything in the first repeat, over one history: what is measured is measured many times in it."""
    if repeat.number:
        return
    rows = repeat.extent.history_rows
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-reconciliation-"))
        log = stack.enter_context(running_log(Path(folder) / "log"))
        history = stack.enter_context(running_server(Path(folder) / "history"))
        platform = await stack.enter_async_context(composed(log, history))
        await _fill(history, rows)
        await _fingerprints(repeat, history, rows)
        await _one(repeat, platform, rows // 10)
        await _thousand(repeat, platform, rows // 10)


async def _fill(history: RunningServer, rows: int) -> None:
    """A tenth of the rows in one lot, a quarter in lots of 25,000, the others in small lots, all in one month."""
    big, middling = rows // 10, rows // 4
    crowd = max(1, rows // 100_000)
    shares = (
        ("records_current", f"'{LOT}'", 0, big),
        ("record_revisions", f"'{LOT}'", 0, big),
        ("records_current", f"concat('middling-', toString(number % {crowd}))", big, middling),
        ("records_current", f"concat('lot-', toString(number % {_lots(rows)}))", big + middling, rows - big - middling),
    )
    span = _MONTH.end_ms - _MONTH.start_ms
    async with HistoryClient(Account(history.url, "owner", history.secrets["owner"], deadline=_DEADLINE_S)) as owner:
        for table, lot, begin, count in shares:
            made = _ROWS.format(table=table, lot=lot, begin=begin, count=count, first=_FIRST_MS, span=span)
            await owner.execute(made)


def _lots(rows: int) -> int:
    """How many small lots: 2,000 of ten million rows."""
    return rows // 5_000


def _samples(rows: int) -> int:
    return _SAMPLES if rows >= 1_000_000 else _FEW


async def _fingerprints(repeat: Repeat, history: RunningServer, rows: int) -> None:
    """A month of one lot by days, and a day of all lots. Void unless the engine's sums are Python's."""
    figures, big = repeat.figures, rows // 10
    async with HistoryClient(Account(history.url, "reader", history.secrets["reader"])) as reader:
        ledger = Ledger(reader, Archive(reader))
        days = Buckets(_FIRST_MS, beijing.DAY_MS, _DAYS)
        for name, lot_id in (("month", "middling-0"), ("large_month", LOT)):
            for _ in range(_samples(rows)):
                begun = time.perf_counter()
                found = await ledger.fingerprints(lot_id, days, _START)
                figures.add(f"reconciliation.{name}", "ms", (time.perf_counter() - begun) * 1000)
        if found != _Side(big).fingerprints(_FIRST_MS, beijing.DAY_MS, _DAYS):
            raise Void("the engine's fingerprints of a month are not Python's")
        day = Bounds(_FIRST_MS + 4 * beijing.DAY_MS, _FIRST_MS + 5 * beijing.DAY_MS)
        for _ in range(_samples(rows)):
            begun = time.perf_counter()
            lots = await ledger.of_lots([f"lot-{number}" for number in range(_lots(rows))], day)
            figures.add("reconciliation.city_day", "ms", (time.perf_counter() - begun) * 1000)
        if len(lots) != _lots(rows):
            raise Void(f"of {_lots(rows)} lots {len(lots)} have records on that day")


@dataclass
class _Side:
    """The vendor's books of the large lot: as many records, the digests of some altered."""

    count: int
    altered: frozenset[int] = frozenset()
    sums: list[int] = field(init=False)
    """Of the digests of each minute."""
    held: list[list[int]] = field(init=False)
    """The records of each minute."""

    def __post_init__(self) -> None:
        minutes = (_MONTH.end_ms - _MONTH.start_ms) // beijing.MINUTE_MS
        self.sums = [0] * minutes
        self.held = [[] for _ in range(minutes)]
        for number in range(self.count):
            minute = self._minute(number)
            self.held[minute].append(number)
            self.sums[minute] += int.from_bytes(self.digest(number))

    def with_altered(self, altered: frozenset[int]) -> "_Side":
        """The same books but for the digests of some records."""
        other = copy.copy(self)
        other.altered, other.sums = altered, self.sums.copy()
        for number in altered:
            other.sums[self._minute(number)] += int.from_bytes(other.digest(number)) - int.from_bytes(
                self.digest(number)
            )
        return other

    def _minute(self, number: int) -> int:
        return number * (_MONTH.end_ms - _MONTH.start_ms) // self.count // beijing.MINUTE_MS

    def digest(self, number: int) -> bytes:
        """The digest of a record."""
        text = f"{number} altered" if number in self.altered else str(number)
        return hashlib.sha256(text.encode()).digest()

    def fingerprints(self, begin_ms: int, length_ms: int, count: int) -> list[Fingerprint]:
        """Of consecutive buckets."""
        each = length_ms // beijing.MINUTE_MS
        first = (begin_ms - _FIRST_MS) // beijing.MINUTE_MS
        found = []
        for start in range(first, first + each * count, each):
            total = sum(self.sums[start : start + each]) % 2**256
            found.append(Fingerprint(sum(map(len, self.held[start : start + each])), total.to_bytes(32)))
        return found


class _Run:
    """A vendor's run: the questions it asks, and their bytes as JSON, both ways."""

    def __init__(self, platform: Platform, side: _Side) -> None:
        self._stub = platform.reconciliation()
        self._side = side
        self._position = ""
        self.trips = self.bytes = 0

    async def differing(self, begin_ms: int, step: messages.Step.ValueType, count: int) -> list[int]:
        """Where the differing buckets begin, of `count` from an instant on."""
        mine = self._side.fingerprints(begin_ms, _STEPS[step], count)
        request = messages.CompareDigestsRequest(
            lot_id=LOT,
            step=step,
            counts=[one.count for one in mine],
            digest_sums=[one.digest_sum for one in mine],
            position=self._position,
        )
        request.start_time.FromMilliseconds(begin_ms)
        answer = await self._stub.CompareDigests(request)
        self._position = answer.position
        self._count(request, answer)
        if answer.compared_count != count:
            raise Void(f"of {count} buckets {answer.compared_count} were compared")
        return [bucket.start_time.ToMilliseconds() for bucket in answer.differing]

    async def records(self, begin_ms: int) -> list[str]:
        """The ids of the records of a minute that differ."""
        numbers = self._side.held[(begin_ms - _FIRST_MS) // beijing.MINUTE_MS]
        request = messages.CompareRecordsRequest(
            lot_id=LOT,
            records=[messages.RecordDigest(record_id=f"r-{one:09}", digest=self._side.digest(one)) for one in numbers],
            position=self._position,
        )
        request.start_time.FromMilliseconds(begin_ms)
        request.end_time.FromMilliseconds(begin_ms + beijing.MINUTE_MS)
        answer = await self._stub.CompareRecords(request)
        self._count(request, answer)
        return [one.record_id for one in answer.differences]

    def _count(self, *said: Message) -> None:
        self.trips += 1
        self.bytes += sum(len(json.dumps(json_format.MessageToDict(one), separators=(",", ":"))) for one in said)


async def _one(repeat: Repeat, platform: Platform, count: int) -> None:
    """One differing record, by days, hours, minutes, records. Void unless it is found, and nothing else."""
    side = _Side(count)
    for sample in range(_samples(count)):
        number = random.Random(sample).randrange(count)
        run = _Run(platform, side.with_altered(frozenset({number})))
        begun = time.perf_counter()
        (day,) = await run.differing(_FIRST_MS, messages.STEP_DAY, _DAYS)
        (hour,) = await run.differing(day, messages.STEP_HOUR, 24)
        (minute,) = await run.differing(hour, messages.STEP_MINUTE, 60)
        found = await run.records(minute)
        if found != [f"r-{number:09}"]:
            raise Void(f"one record differs, and {len(found)} were found")
        repeat.figures.add("reconciliation.one.time", "ms", (time.perf_counter() - begun) * 1000)
        repeat.figures.add("reconciliation.one.questions", "questions", run.trips)
        repeat.figures.add("reconciliation.one.bytes", "B", run.bytes)


async def _thousand(repeat: Repeat, platform: Platform, count: int) -> None:
    """Differences scattered over the month, by the minutes of each day. Void unless exactly those are found."""
    many = min(1_000, count // 100)
    altered = frozenset(random.Random(many).sample(range(count), many))
    run = _Run(platform, _Side(count, altered))
    begun = time.perf_counter()
    minutes: list[int] = []
    for day in await run.differing(_FIRST_MS, messages.STEP_DAY, _DAYS):
        minutes += await run.differing(day, messages.STEP_MINUTE, 1_440)
    found: list[str] = []
    for start in range(0, len(minutes), _AT_ONCE):
        for ids in await asyncio.gather(*map(run.records, minutes[start : start + _AT_ONCE])):
            found += ids
    if sorted(found) != sorted(f"r-{number:09}" for number in altered):
        raise Void(f"{many} records differ, and {len(found)} were found")
    repeat.figures.add("reconciliation.thousand.time", "s", time.perf_counter() - begun)
    repeat.figures.add("reconciliation.thousand.questions", "questions", run.trips)
    repeat.figures.add("reconciliation.thousand.bytes", "B/difference", run.bytes / many)
