"""What changes among the visits while some records come, and the rows that say so."""

from collections.abc import Iterable
from itertools import chain
from typing import Final, NamedTuple

from vocabulary import beijing

from access_records import tables
from access_records.visits.pairing import Limits, Passage, Visit
from access_records.visits.visit_rows import Place, Seen, place_of, row_of, seen_in, tombstone, withdrawal

TABLES: Final = (tables.WITHDRAWALS, tables.VISITS)
"""What is written, in this order: a visit that changes its plate may be missed for a moment, and is never found by one
that is not its own. What says that no visit is found by the plate of a record follows from that record alone, whatever
is known of its neighbours."""
Rows = dict[int, list[bytes]]
"""Serialized rows by what their table is partitioned by: the month in which their visits begin, or the year."""


class Span(NamedTuple):
    """From one instant to another, both included, in epoch milliseconds."""

    first_ms: int
    last_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether the instant is in it."""
        return self.first_ms <= at_ms <= self.last_ms

    def with_(self, instants: Iterable[int]) -> "Span":
        """As far as these instants, too."""
        return Span(min(self.first_ms, *instants), max(self.last_ms, *instants))

    def around(self, near_ms: int) -> "Span":
        """So much further on both sides."""
        return Span(self.first_ms - near_ms, self.last_ms + near_ms)


class Changes:
    """The visits of some records before and after."""

    def __init__(self) -> None:
        self.old: dict[Place, Visit] = {}
        self.new: dict[Place, Visit] = {}
        self.bare: set[Place] = set()
        """Where visits may have begun that begin there no more, though nobody knows."""
        self.seen: set[Seen] = set()
        """By what visits may have been found, though nobody knows whether they still are."""
        self.around: list[Visit] = []
        """Visits that begin outside of what is made anew, and may end within."""

    def anew(self, visits: Iterable[Visit], passages: Iterable[Passage], span: Span) -> None:
        """What becomes of these passages within the span, whatever became of them before."""
        for visit in visits:
            if span.holds(visit.anchor.at_ms):
                self.new[place_of(visit.anchor)] = visit
            else:
                self.around.append(visit)
        for passage in passages:
            if span.holds(passage.at_ms):
                place = place_of(passage)
                self.bare.add(place)
                if passage.plate_key:
                    self.seen.add((passage.plate_key, place))

    def before(self, visits: Iterable[Visit]) -> None:
        """These visits there were."""
        for visit in visits:
            self.old[place_of(visit.anchor)] = visit

    def after(self, visits: Iterable[Visit]) -> None:
        """These visits there are."""
        for visit in visits:
            self.new[place_of(visit.anchor)] = visit

    def rows(self, until: int, limits: Limits, *, careful: bool) -> dict[str, Rows]:
        """The rows to write into each of TABLES, as of a position of the log; `careful` when those of visits that seem
        not to have changed are to be written as well.
        """
        rows: Rows = {}
        withdrawn: Rows = {}
        month = beijing.month
        old, new, seen = self.old, self.new, self.seen
        for place, visit in new.items():
            before = old.get(place)
            if careful or before != visit:
                rows.setdefault(month(place[1]), []).append(row_of(visit, until, limits))
                if before is not None and (then := seen_in(before)) != seen_in(visit):
                    seen.update(then)
        for place in (old.keys() | self.bare) - new.keys():
            rows.setdefault(month(place[1]), []).append(tombstone(place, until))
            if place in old:
                seen.update(seen_in(old[place]))
        if seen:
            for one in seen.difference(chain.from_iterable(map(seen_in, chain(new.values(), self.around)))):
                withdrawn.setdefault(month(one[1][1]) // 100, []).append(withdrawal(one, until))
        return {tables.WITHDRAWALS.name: withdrawn, tables.VISITS.name: rows}
