"""Which records make one visit: a pure function of the records that hold, whatever the order in which they came.

Records that share a visit id are paired first. What that leaves, and what has no visit id, is paired along the line of
one plate in one lot. Both ways follow the same rules, the first with wider limits:

- Passages in one direction that follow each other closely are one passage reported more than once (DOUBLED): the first
  entry and the last exit count.
- An entry and the exit next behind it are a visit, unless that would last longer than the longest stay.
- An exit that has no entry, and an entry shortly behind it that has no exit, are a visit whose events were stamped by
  two clocks (CROSSED).
- Any other exit misses its entry (MISSING_ENTRY). Any other entry misses its exit (MISSING_EXIT) when something else
  follows it within the longest stay, and is OPEN when nothing does.

What becomes of a record therefore depends on its nearest neighbours alone, and on none further away than the longest
stay. `separable` says between which neighbours a line may be cut without changing anything.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.visit_pb2 import (
    VISIT_REASON_CROSSED,
    VISIT_REASON_DOUBLED,
    VISIT_REASON_MISSING_ENTRY,
    VISIT_REASON_MISSING_EXIT,
    VISIT_REASON_PLATE_DIFFERS,
    VISIT_REASON_PLATE_UNREAD,
    VISIT_REASON_UNLICENSED,
    VISIT_STATE_CLOSED,
    VISIT_STATE_DOUBTFUL,
    VISIT_STATE_OPEN,
)

_ENTRY: Final = int(record_pb2.DIRECTION_ENTRY)
_UNLICENSED: Final = int(record_pb2.PLATE_STATE_UNLICENSED)

MOST_OF_ONE_ID: Final = 64
"""A visit id that more passages share, with nothing to separate them, names no visit: such passages pair by plate."""


class Passage(NamedTuple):
    """A record that holds, as pairing sees it; ordered as the line of a vehicle is: by time, entries first, then id."""

    at_ms: int
    """When it happened, in epoch milliseconds."""
    direction: int
    record_id: str
    lot_id: str
    plate_key: bytes
    """Empty when there is no plate."""
    visit_id: str
    plate_state: int
    plate_masked: str
    plate_colour: int
    vehicle_class: int
    gate_id: str
    lane_id: str
    berth_id: str
    parking_type: int
    accept_ms: int
    """When its first report was accepted, in epoch milliseconds."""


class Visit(NamedTuple):
    """Records that belong together. At least one of entry and exit is there."""

    entry: Passage | None
    exit: Passage | None
    others: tuple[Passage, ...]
    """Further reports of the same entry or exit."""
    state: int
    """A VisitState."""
    reasons: tuple[int, ...]
    """VisitReasons, ascending."""

    @property
    def anchor(self) -> Passage:
        """The record that the visit stands at: its entry, else its exit."""
        found = self.entry or self.exit
        assert found is not None
        return found


class Limits(NamedTuple):
    """How far apart two passages may be; all in milliseconds."""

    longest_ms: int
    """The longest stay."""
    doubled_ms: int
    """Between two reports of one passage."""
    crossing_ms: int
    """By how much an exit may be stamped before its entry."""

    named_ms: int
    """The same two, where a visit id says that they belong together."""

    @property
    def near_ms(self) -> int:
        """No record has a say in what becomes of another one that is further away than this."""
        return self.longest_ms + self.crossing_ms + self.doubled_ms

    @property
    def named(self) -> "Limits":
        """The limits along the line of a visit id: it says more than a clock."""
        return self._replace(doubled_ms=self.named_ms, crossing_ms=self.named_ms)


Line = Sequence[Passage]
"""Passages in their order."""


def pair(passages: Iterable[Passage], limits: Limits) -> list[Visit]:
    """The visits that these records make; every record is in exactly one of them."""
    named: dict[tuple[str, str], list[Passage]] = {}
    visits: list[Visit] = []
    rest: list[Passage] = []
    for passage in passages:
        if passage.visit_id:
            named.setdefault((passage.lot_id, passage.visit_id), []).append(passage)
        else:
            rest.append(passage)
    for line in named.values():
        line.sort()
        found = by_id(line, limits)
        visits += found
        taken = taken_by(found)
        rest += [passage for passage in line if passage not in taken]
    plates: dict[tuple[str, bytes], list[Passage]] = {}
    for passage in rest:
        if passage.plate_key:
            plates.setdefault((passage.lot_id, passage.plate_key), []).append(passage)
        else:
            visits.append(alone(passage))
    for line in plates.values():
        line.sort()
        visits += by_plate(line, limits)
    return visits


def by_id(line: Line, limits: Limits) -> list[Visit]:
    """The visits with both ends along the line of one visit id of one lot; what it leaves pairs by plate."""
    wide = limits.named
    found: list[Visit] = []
    for part in parts(line, wide):
        if 1 < len(part) <= MOST_OF_ONE_ID:
            found += [visit for visit in _paired(part, wide) if visit.entry and visit.exit]
    return found


def by_plate(line: Line, limits: Limits) -> list[Visit]:
    """The visits along the line of one plate in one lot."""
    return _paired(line, limits)


def alone(passage: Passage) -> Visit:
    """The visit of a record without a plate that no visit id pairs."""
    unlicensed = passage.plate_state == _UNLICENSED
    reasons = (VISIT_REASON_UNLICENSED if unlicensed else VISIT_REASON_PLATE_UNREAD,)
    if passage.direction == _ENTRY:
        return Visit(passage, None, (), VISIT_STATE_DOUBTFUL, reasons)
    return Visit(None, passage, (), VISIT_STATE_DOUBTFUL, reasons)


def taken_by(visits: Iterable[Visit]) -> set[Passage]:
    """All records of some visits."""
    return {passage for visit in visits for passage in (visit.entry, visit.exit, *visit.others) if passage is not None}


def separable(before: Passage, behind: Passage, limits: Limits) -> bool:
    """Whether a line may be cut between these neighbours: neither side then has a say in what becomes of the other."""
    apart_ms = behind.at_ms - before.at_ms
    if apart_ms > limits.longest_ms:
        return True
    return before.direction != _ENTRY and behind.direction == _ENTRY and apart_ms > limits.crossing_ms


def parts(line: Line, limits: Limits) -> list[Line]:
    """The line, cut wherever it may be."""
    found: list[Line] = []
    begin = 0
    for place in range(1, len(line)):
        if separable(line[place - 1], line[place], limits):
            found.append(line[begin:place])
            begin = place
    found.append(line[begin:])
    return found


def _paired(line: Line, limits: Limits) -> list[Visit]:
    longest_ms, doubled_ms, crossing_ms, _ = limits
    if len(line) == 1:
        passage = line[0]
        if passage[1] == _ENTRY:
            return [Visit(passage, None, (), VISIT_STATE_OPEN, ())]
        return [Visit(None, passage, (), VISIT_STATE_DOUBTFUL, _MISSING_ENTRY)]
    runs = _runs(line, doubled_ms)
    visits: list[Visit] = []
    place, end = 0, len(runs)
    while place < end:
        run = runs[place]
        following = runs[place + 1] if place + 1 < end else None
        place += 1
        if run[0].direction == _ENTRY:
            if following and _closes(run, following, longest_ms):
                visits.append(_visit(run, following))
                place += 1
            else:
                left = following is not None and following[0].at_ms - run[0].at_ms <= longest_ms
                visits.append(_entered(run, left=left))
        elif (
            following
            and following[0].direction == _ENTRY
            and following[0].at_ms - run[-1].at_ms <= crossing_ms
            and not (place + 1 < end and _closes(following, runs[place + 1], longest_ms))
        ):
            visits.append(_visit(following, run))
            place += 1
        else:
            visits.append(Visit(None, run[-1], tuple(run[:-1]), VISIT_STATE_DOUBTFUL, _exited(run)))
    return visits


_MISSING_ENTRY: Final = (int(VISIT_REASON_MISSING_ENTRY),)


def _runs(line: Line, doubled_ms: int) -> list[list[Passage]]:
    """The line with all reports of one passage together."""
    runs = [[line[0]]]
    for passage in line[1:]:
        last = runs[-1][-1]
        if (
            passage.direction == last.direction
            and passage.at_ms - last.at_ms <= doubled_ms
            and not _differ(last, passage)
        ):
            runs[-1].append(passage)
        else:
            runs.append([passage])
    return runs


def _closes(entries: Line, exits: Line, longest_ms: int) -> bool:
    return exits[0].direction != _ENTRY and exits[-1].at_ms - entries[0].at_ms <= longest_ms


def _visit(entries: Line, exits: Line) -> Visit:
    """A visit with both ends: the first entry and the last exit count."""
    entry, leaving = entries[0], exits[-1]
    reasons: list[int] = []
    others = (*entries[1:], *exits[:-1])
    if others:
        reasons.append(VISIT_REASON_DOUBLED)
    if leaving.at_ms < entry.at_ms:
        reasons.append(VISIT_REASON_CROSSED)
    if _differ(entry, leaving):
        reasons.append(VISIT_REASON_PLATE_DIFFERS)
    state = VISIT_STATE_DOUBTFUL if reasons else VISIT_STATE_CLOSED
    return Visit(entry, leaving, others, state, tuple(reasons))


def _entered(entries: Line, *, left: bool) -> Visit:
    reasons: list[int] = []
    if left:
        reasons.append(VISIT_REASON_MISSING_EXIT)
    if len(entries) > 1:
        reasons.append(VISIT_REASON_DOUBLED)
    state = VISIT_STATE_DOUBTFUL if reasons else VISIT_STATE_OPEN
    return Visit(entries[0], None, tuple(entries[1:]), state, tuple(reasons))


def _exited(exits: Line) -> tuple[int, ...]:
    doubled = (int(VISIT_REASON_DOUBLED),) if len(exits) > 1 else ()
    return _MISSING_ENTRY + doubled


def _differ(one: Passage, other: Passage) -> bool:
    return bool(one.plate_key and other.plate_key and one.plate_key != other.plate_key)
