"""What some records change among the visits: their lines before and after, paired, and the rows that differ."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

from vocabulary import beijing

from access_records.visits.lines import FOREVER_MS, KnownLine, Lines
from access_records.visits.neighbours import IdKey, Neighbours, Place, PlateKey, Window
from access_records.visits.pairing import Limits, Passage, Visit, alone, by_id, by_plate, taken_by
from access_records.visits.visit_rows import place_of, row_of, tombstone

Rows = dict[int, list[bytes]]
"""Serialized rows by the month in which their visits begin."""
K = TypeVar("K", IdKey, PlateKey)

_MOST_OF_AN_ID: Final = 128


class Revised(NamedTuple):
    """A record of which a revision came: where it holds now, and all that it ever was."""

    lot_id: str
    record_id: str
    passages: list[Passage]
    """As it holds now; empty while it is void."""
    instants: frozenset[int]
    """At which it holds or ever held, in epoch milliseconds."""
    plates: frozenset[bytes]
    """Pseudonyms that it has or ever had."""
    visit_ids: frozenset[str]
    """Visit ids that it has or ever had."""


class Batch(NamedTuple):
    """What a stretch of the log holds, behind `after` and up to `until`."""

    after: int
    until: int
    fresh: list[Passage]
    """First reports that nothing revises."""
    revised: list[Revised]
    now_ms: int


class _Changes:
    """The visits of some records before and after."""

    def __init__(self) -> None:
        self.old: dict[Place, Visit] = {}
        self.new: dict[Place, Visit] = {}
        self.bare: set[Place] = set()
        """Where visits may have begun that begin there no more, though nobody knows."""

    def before(self, visits: Iterable[Visit]) -> None:
        for visit in visits:
            self.old[place_of(visit.anchor)] = visit

    def after(self, visits: Iterable[Visit]) -> None:
        for visit in visits:
            self.new[place_of(visit.anchor)] = visit


class _Moves:
    """Who joins and who leaves the line of a plate."""

    __slots__ = ("joining", "leaving")

    def __init__(self) -> None:
        self.joining: list[Passage] = []
        self.leaving: set[Passage] = set()


class Projection:
    """Computes the rows that a batch changes. One for each shard; batches come in the order of the log."""

    def __init__(self, neighbours: Neighbours, limits: Limits, most_lines: int) -> None:
        self._neighbours = neighbours
        self._limits = limits
        self._wide = Limits(limits.longest_ms, limits.longest_ms, limits.longest_ms)
        self._ids: Lines[IdKey] = Lines(most_lines)
        self._plates: Lines[PlateKey] = Lines(most_lines)

    def forget(self) -> None:
        """Forgets all lines: what was made of them may not have been written."""
        self._ids.clear()
        self._plates.clear()

    async def rows(self, batch: Batch, *, careful: bool) -> Rows:
        """The rows to write; `careful` when rows of a batch behind `after` may have been written before.

        Raises HistoryUnavailable; `forget` must be called then, and whenever the rows are not written.
        """
        work = _Work(batch, careful=careful)
        await self._pair_by_id(work)
        await self._pair_by_plate(work)
        self._ids.forget()
        self._plates.forget()
        return self._differing(work)

    async def _pair_by_id(self, work: "_Work") -> None:
        batch = work.batch
        joining: dict[IdKey, list[Passage]] = {}
        for passage in work.passages():
            if passage.visit_id:
                joining.setdefault((passage.lot_id, passage.visit_id), []).append(passage)
            else:
                work.join(passage)
        spans = {key: _span(passages) for key, passages in joining.items()}
        for one in batch.revised:
            for visit_id in one.visit_ids:
                key = (one.lot_id, visit_id)
                work.forced_ids.add(key)
                spans[key] = _wider(spans.get(key), one.instants)
        lines = await self._known(self._ids, self._neighbours.by_id, spans, work.forced_ids, work)
        for key, line in lines.items():
            work.ids_before[key] = line.passages
            added = joining.get(key, [])
            if key in work.forced_ids:
                self._pair_forced_id(work, key, line, added)
                continue
            begin, end = line.around(min(added), max(added), self._wide)
            part = line.passages[begin:end]
            behind = sorted([*part, *added]) if part else sorted(added)
            if len(added) == 1 and not part:
                work.join(added[0])
            else:
                self._compare_by_id(work, part, behind)
            self._replace_ids(work, key, line, begin, end, behind)

    def _compare_by_id(self, work: "_Work", part: list[Passage], behind: list[Passage]) -> None:
        before, after = by_id(part, self._limits) if part else [], by_id(behind, self._limits)
        work.changes.before(before)
        work.changes.after(after)
        was, is_ = taken_by(before), taken_by(after)
        known = set(part)
        for passage in behind:
            if passage not in known:
                if passage not in is_:
                    work.join(passage)
            elif passage in was and passage not in is_:
                work.join(passage)
            elif passage in is_ and passage not in was:
                work.leave(passage)
        if work.careful:
            work.changes.bare.update(map(place_of, behind))

    def _pair_forced_id(self, work: "_Work", key: IdKey, line: KnownLine, added: list[Passage]) -> None:
        behind = sorted({*line.passages, *added})
        after = by_id(behind, self._limits) if behind else []
        work.changes.after(after)
        work.changes.bare.update(map(place_of, behind))
        taken = taken_by(after)
        for passage in behind:
            work.force(passage)
            if passage not in taken:
                work.join(passage)
        self._replace_ids(work, key, line, 0, len(line.passages), behind)

    def _replace_ids(
        self, work: "_Work", key: IdKey, line: KnownLine, begin: int, end: int, behind: list[Passage]
    ) -> None:
        passages = [*line.passages[:begin], *behind, *line.passages[end:]]
        if len(passages) > _MOST_OF_AN_ID:
            passages = passages[-_MOST_OF_AN_ID:]
            line.since_ms = max(line.since_ms, passages[0].at_ms + self._limits.reach_ms)
        line.passages = passages
        work.ids_behind[key] = passages

    async def _pair_by_plate(self, work: "_Work") -> None:
        spans: dict[PlateKey, tuple[int, int]] = {}
        for key, moves in work.moves.items():
            spans[key] = _span([*moves.joining, *moves.leaving])
        for key, instants in work.forced_plates.items():
            spans[key] = _wider(spans.get(key), instants)
        lines = await self._known(self._plates, self._participants(work), spans, work.forced_plates, work)
        changes = work.changes
        for key, line in lines.items():
            moves = work.moves.get(key) or _Moves()
            if key in work.forced_plates:
                begin, end = 0, len(line.passages)
                part: list[Passage] = []
                behind = sorted({*line.passages, *moves.joining})
                changes.bare.update(map(place_of, behind))
            elif not line.passages:
                begin, end, part, behind = 0, 0, [], sorted(moves.joining)
            else:
                changed = sorted([*moves.joining, *moves.leaving])
                begin, end = line.around(changed[0], changed[-1], self._limits)
                part = line.passages[begin:end]
                behind = sorted([*(one for one in part if one not in moves.leaving), *moves.joining])
            if part:
                changes.before(by_plate(part, self._limits))
            if behind:
                changes.after(by_plate(behind, self._limits))
            if work.careful:
                changes.bare.update(map(place_of, behind))
            line.passages[begin:end] = behind
            line.shorten(self._limits)

    def _participants(
        self, work: "_Work"
    ) -> Callable[[Collection[PlateKey], Window, int], Awaitable[list[Passage]]]:
        async def load(keys: Collection[PlateKey], window: Window, until: int) -> list[Passage]:
            found = await self._neighbours.by_plate(keys, window, until)
            spans: dict[IdKey, tuple[int, int]] = {}
            for passage in found:
                key = (passage.lot_id, passage.visit_id)
                if passage.visit_id and key not in work.ids_before:
                    spans[key] = _wider(spans.get(key), [passage.at_ms])
            lines = await self._known(self._ids, self._neighbours.by_id, spans, (), work)
            for key, line in lines.items():
                work.ids_before[key] = work.ids_behind[key] = line.passages
            # Of a line that is made anew who takes part now; of any other, who took part before this batch.
            return [
                passage
                for passage in found
                if not passage.visit_id
                or passage
                not in self._taken(
                    work,
                    (passage.lot_id, passage.visit_id),
                    now=(passage.lot_id, passage.plate_key) in work.forced_plates,
                )
            ]

        return load

    def _taken(self, work: "_Work", key: IdKey, *, now: bool) -> set[Passage]:
        remembered = work.taken.get((key, now))
        if remembered is None:
            line = (work.ids_behind if now else work.ids_before)[key]
            remembered = work.taken[key, now] = taken_by(by_id(line, self._limits)) if line else set()
        return remembered

    async def _known(
        self,
        lines: Lines[K],
        load: Callable[[Collection[K], Window, int], Awaitable[list[Passage]]],
        spans: Mapping[K, tuple[int, int]],
        forced: Collection[K],
        work: "_Work",
    ) -> dict[K, KnownLine]:
        """The lines as they were before the batch, those that are made anew without the revised records."""
        found: dict[K, KnownLine] = {}
        recent: list[K] = []
        late: list[K] = []
        reach_ms = self._limits.reach_ms
        recent_ms = work.batch.now_ms - self._limits.longest_ms
        for key, (first_ms, last_ms) in spans.items():
            line = None if key in forced else lines.get(key, first_ms, last_ms)
            if line is not None:
                found[key] = line
            elif first_ms < recent_ms:
                late.append(key)
            else:
                recent.append(key)
        for keys in (recent, late):
            if not keys:
                continue
            start_ms = min(spans[key][0] for key in keys) - reach_ms
            end_ms = max(spans[key][1] for key in keys) + reach_ms
            if end_ms > work.batch.now_ms:
                end_ms = FOREVER_MS
            loaded: dict[K, list[Passage]] = {}
            of_ids = lines is self._ids
            for passage in await load(set(keys), Window(max(0, start_ms), end_ms), work.batch.after):
                if (passage.lot_id, passage.record_id) not in work.dead:
                    named = (passage.lot_id, passage.visit_id if of_ids else passage.plate_key)
                    loaded.setdefault(named, []).append(passage)  # type: ignore[arg-type]
            until_ms = end_ms if end_ms == FOREVER_MS else end_ms - reach_ms
            for key in keys:
                passages = loaded.get(key, [])
                passages.sort()
                found[key] = KnownLine(passages, start_ms + reach_ms, until_ms)
                lines.put(key, found[key])
        return found

    def _differing(self, work: "_Work") -> Rows:
        rows: Rows = {}
        changes, until, limits = work.changes, work.batch.until, self._limits
        month = beijing.month
        old, careful = changes.old, work.careful
        for place, visit in changes.new.items():
            if careful or old.get(place) != visit:
                rows.setdefault(month(place[1]), []).append(row_of(visit, until, limits))
        gone = (changes.old.keys() | changes.bare) - changes.new.keys()
        for place in gone:
            rows.setdefault(month(place[1]), []).append(tombstone(place, until))
        return rows


class _Work:
    """What is known while one batch is worked on."""

    def __init__(self, batch: Batch, *, careful: bool) -> None:
        self.batch = batch
        self.careful = careful
        self.changes = _Changes()
        self.dead = {(one.lot_id, one.record_id) for one in batch.revised}
        self.moves: dict[PlateKey, _Moves] = {}
        self.forced_ids: set[IdKey] = set()
        self.forced_plates: dict[PlateKey, set[int]] = {}
        self.ids_before: dict[IdKey, list[Passage]] = {}
        self.ids_behind: dict[IdKey, list[Passage]] = {}
        self.taken: dict[tuple[IdKey, bool], set[Passage]] = {}
        for one in batch.revised:
            for plate in one.plates:
                self.forced_plates.setdefault((one.lot_id, plate), set()).update(one.instants)
            self.changes.bare.update((one.lot_id, at_ms, one.record_id) for at_ms in one.instants)

    def passages(self) -> Iterable[Passage]:
        """All records of the batch, as they hold."""
        yield from self.batch.fresh
        for one in self.batch.revised:
            yield from one.passages

    def join(self, passage: Passage) -> None:
        """No visit id pairs this record any more, or none ever did."""
        if passage.plate_key:
            self._moves(passage).joining.append(passage)
        else:
            self.changes.after([alone(passage)])

    def leave(self, passage: Passage) -> None:
        """A visit id pairs this record now."""
        if passage.plate_key:
            self._moves(passage).leaving.add(passage)
        else:
            self.changes.before([alone(passage)])

    def force(self, passage: Passage) -> None:
        """What stands of this record is not known: its whole line is written anew."""
        if passage.plate_key:
            self.forced_plates.setdefault((passage.lot_id, passage.plate_key), set()).add(passage.at_ms)

    def _moves(self, passage: Passage) -> _Moves:
        key = (passage.lot_id, passage.plate_key)
        moves = self.moves.get(key)
        if moves is None:
            moves = self.moves[key] = _Moves()
        return moves


def _span(passages: Collection[Passage]) -> tuple[int, int]:
    return min(passages)[0], max(passages)[0]


def _wider(span: tuple[int, int] | None, instants: Iterable[int]) -> tuple[int, int]:
    first_ms, last_ms = min(instants, default=FOREVER_MS), max(instants, default=0)
    return (first_ms, last_ms) if span is None else (min(span[0], first_ms), max(span[1], last_ms))
