"""Reconciles the books of a lot with those of the platform: compare, repair, compare again, close the day."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing
from vocabulary.fingerprint import Fingerprint

from parkmesh_sdk import method as methods
from parkmesh_sdk.reconciliation.books import Books
from parkmesh_sdk.reconciliation.comparison import Caller, Comparing, Comparison, Counter
from parkmesh_sdk.reconciliation.repair import Done, Repairing, Step, Winner
from parkmesh_sdk.reconciliation.result import Difference, Reconciliation

_LONGEST_WAIT_S: Final = 5.0
_PATIENCE: Final = 3
"""Rounds that are spent waiting for what is on its way: it may be seconds, or what is newer than the settled time."""


@dataclass(frozen=True)
class Policy:
    """What is done about differences."""

    repair: bool = True
    """Send what the platform lacks, take over what the vendor lacks, and let the winner's record hold where both
    differ; otherwise differences are only told."""
    winner: Winner = Winner.NOBODY
    """Whose record holds where the two differ."""
    author: str = "parkmesh-sdk"
    """Who decides, in revisions and in the report: as the lot's own system names that person or program."""
    close: bool = False
    """Close the day when the books agree on all of it."""
    accept_reason: str = ""
    """Not empty: close it also when they differ, for this reason."""
    rounds: int = 10
    """How often the day is compared at most."""
    first_wait_s: float = 0.25
    """How long a platform that lags behind its own acknowledgements is given; doubles with every round, up to 5 s."""


class DayBooks(NamedTuple):
    """How the books of a day stand."""

    date: str
    """YYYY-MM-DD."""
    vendor: Fingerprint
    agree: bool
    """Whether they are equal; False also for a day that is not settled yet."""


async def reconcile(
    client: Caller,
    lot_id: str,
    day: str,
    books: Books,
    policy: Policy | None = None,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> Reconciliation:
    """Makes the books of a Beijing day (YYYY-MM-DD) agree, as far as the policy lets it, and closes the day if asked.

    An equal day takes one round trip. All of it may be repeated without harm. ValueError when there is no such day,
    PlatformError when the platform refuses a call as a whole.
    """
    policy = policy or Policy()
    bounds = beijing.day_bounds_of(day)
    counter = Counter(client)
    repairing = Repairing(counter, lot_id, books, winner=policy.winner, author=policy.author, made_ms=now_ms())
    found: dict[str, books_pb2.RecordDifference] = {}
    done: dict[str, Done] = {}
    wait_s = policy.first_wait_s
    rounds = idle = 0
    while True:
        rounds += 1
        comparison = await Comparing(counter, lot_id, books).compare(bounds)
        found = {**comparison.differences, **found}
        if comparison.equal or not policy.repair or rounds >= policy.rounds:
            break
        tried = {
            record_id: each for record_id, each in comparison.differences.items() if not _hopeless(done, record_id)
        }
        before = done.keys() & tried.keys()
        done |= await repairing.repair(tried)
        working = any(not _hopeless(done, record_id) for record_id in tried)
        idle = 0 if working else idle + 1
        if idle and (not comparison.pending or idle > _PATIENCE):
            break
        # It compares what it acknowledged before it was asked; only when it lags is there something to wait for.
        if before or not working:
            await sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
    report = await _closed(counter, lot_id, day, comparison, policy)
    return Reconciliation(
        lot_id=lot_id,
        date=day,
        equal=comparison.equal,
        complete=comparison.complete,
        settled_ms=comparison.settled_ms,
        vendor=comparison.vendor,
        differences=tuple(
            _told(found[record_id], done.get(record_id), record_id not in comparison.differences)
            for record_id in sorted(found)
        ),
        pending=tuple(sorted(comparison.pending)),
        rounds=rounds,
        calls=counter.calls,
        bytes_sent=counter.sent,
        bytes_received=counter.received,
        report=report,
    )


async def compare_days(client: Caller, lot_id: str, first: str, last: str, books: Books) -> list[DayBooks]:
    """How the books of each Beijing day from `first` to `last` stand, at most 400 days, in one round trip.

    ValueError when there is no such day, PlatformError when the platform refuses.
    """
    span = beijing.Bounds(beijing.day_bounds_of(first).start_ms, beijing.day_bounds_of(last).end_ms)
    settled = {day.start_ms: day for day in await Comparing(client, lot_id, books).days(span)}
    count = (span.end_ms - span.start_ms) // beijing.DAY_MS
    own = await books.fingerprints(span.start_ms, beijing.DAY_MS, count)
    starts = range(span.start_ms, span.end_ms, beijing.DAY_MS)
    return [
        DayBooks(beijing.day_key(start), vendor, start in settled and not settled[start].differs)
        for start, vendor in zip(starts, own, strict=True)
    ]


def _hopeless(done: dict[str, Done], record_id: str) -> bool:
    """Whether nothing more can be done about a record."""
    last = done.get(record_id)
    return last is not None and (last.step is Step.NONE or bool(last.refused))


def _told(difference: books_pb2.RecordDifference, done: Done | None, repaired: bool) -> Difference:
    made = done or Done(Step.NONE)
    refused = made.refused
    if not refused and difference.reason:
        refused = reasons.ErrorReason.Name(difference.reason).removeprefix("ERROR_REASON_")
    return Difference(
        record_id=difference.record_id,
        kind=difference.kind,
        step=made.step,
        repaired=repaired,
        refused=refused,
        field=made.field or difference.refused_field or ",".join(difference.fields),
    )


async def _closed(
    caller: Caller, lot_id: str, day: str, comparison: Comparison, policy: Policy
) -> books_pb2.DayReport | None:
    agree = comparison.equal and comparison.complete
    if not policy.close or not (agree or policy.accept_reason):
        return None
    request = books_pb2.CloseDayRequest(
        lot_id=lot_id,
        date=day,
        vendor=books_pb2.Fingerprint(count=comparison.vendor.count, digest_sum=comparison.vendor.digest_sum),
        author=policy.author,
    )
    if not agree:
        request.accept_differences = True
        request.reason = policy.accept_reason
    return await caller.call(methods.CLOSE_DAY, request)
