"""From readings of free spaces to movements: every space taken is an entry, every space given back is an exit."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from parkmesh_cli.replay.files import Reading


class Movement(NamedTuple):
    """One vehicle through one gate. Sorts by time, then lot, then sequence."""

    time_ms: int
    lot: str
    sequence: int
    """Its place among the lot's movements, from 1; with the lot it names the movement for ever."""
    entry: bool
    """In; otherwise out."""
    free: int
    """The count of free spaces after it."""


def movements(readings: Mapping[str, Sequence[Reading]]) -> Iterator[Movement]:
    """The movements of all lots, in order of time; the same for the same readings, always.

    Between two readings of a lot there are as many movements as its count changed by, spread evenly, none of them at
    the instant of a reading unless milliseconds do not suffice. The readings of each lot are in order of time.
    """
    return heapq.merge(*(_of_lot(lot, series) for lot, series in sorted(readings.items())))


def count(readings: Mapping[str, Sequence[Reading]]) -> int:
    """How many movements these readings make."""
    return sum(abs(after.free - before.free) for series in readings.values() for before, after in pairwise(series))


def inside_at_first(series: Sequence[Reading], capacity: int) -> int:
    """How many vehicles stand in a lot at its first reading: enough for every exit that follows.

    A lot that reports more free spaces than its capacity has more spaces than it says.
    """
    return max(capacity, *(reading.free for reading in series)) - series[0].free


def _of_lot(lot: str, series: Sequence[Reading]) -> Iterator[Movement]:
    sequence = 0
    for before, after in pairwise(series):
        change = after.free - before.free
        step = 1 if change > 0 else -1
        span_ms = after.time_ms - before.time_ms
        for place in range(abs(change)):
            sequence += 1
            yield Movement(
                time_ms=before.time_ms + span_ms * (2 * place + 1) // (2 * abs(change)),
                lot=lot,
                sequence=sequence,
                entry=change < 0,
                free=before.free + step * (place + 1),
            )
