"""What some records change among the visits: their lines before and after, paired."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from itertools import product
from typing import Final, NamedTuple, Protocol, TypeVar

from access_records.visits.changes import Changes, Rows, Span
from access_records.visits.lines import FOREVER_MS, KnownLine, Lines
from access_records.visits.neighbours import IdKey, PlateKey, Window
from access_records.visits.pairing import Limits, Passage, Visit, alone, by_id, by_plate, taken_by

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


class Surroundings(Protocol):
    """What is known of lines up to a position of the log; see `neighbours.Neighbours`."""

    async def by_plate(self, keys: Collection[PlateKey], window: Window, until: int) -> list[Passage]:
        """The records of these plates."""

    async def by_id(self, keys: Collection[IdKey], window: Window, until: int) -> list[Passage]:
        """The records of these visit ids."""


_NEVER: Final = Span(FOREVER_MS, 0)


class _Moves:
    """Who joins and who leaves the line of a plate."""

    __slots__ = ("joining", "leaving")

    def __init__(self) -> None:
        self.joining: list[Passage] = []
        self.leaving: set[Passage] = set()


class Projection:
    """Computes the rows that a batch changes. One for each shard; batches come in the order of the log."""

    def __init__(self, surroundings: Surroundings, limits: Limits, most_lines: int) -> None:
        self._surroundings = surroundings
        self._limits = limits
        self._wide = limits.named
        self._ids: Lines[IdKey] = Lines(most_lines)
        self._plates: Lines[PlateKey] = Lines(most_lines)

    def forget(self) -> None:
        """Forgets all lines: what was made of them may not have been written."""
        self._ids.clear()
        self._plates.clear()

    async def rows(self, batch: Batch, *, careful: bool) -> dict[str, Rows]:
        """The rows to write into each of TABLES; `careful` when rows of a batch behind `after` may have been written
        before.

        Raises HistoryUnavailable; `forget` must be called then, and whenever the rows are not written.
        """
        work = _Work(batch, careful=careful)
        await self._pair_by_id(work)
        await self._pair_by_plate(work)
        self._ids.forget()
        self._plates.forget()
        return work.changes.rows(batch.until, self._limits, careful=careful)

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
                spans[key] = spans.get(key, _NEVER).with_(one.instants)
        lines = await self._known(self._ids, self._surroundings.by_id, spans, work.forced_ids, work)
        work.ids_joining = joining
        for key, line in lines.items():
            before = line.passages
            added = joining.get(key, [])
            if key in work.forced_ids:
                self._pair_forced_id(work, line, added, spans[key].around(self._wide.near_ms))
                work.learn(key, line, before)
                continue
            begin, end = line.around(min(added), max(added), self._wide)
            part = line.passages[begin:end]
            behind = sorted([*part, *added]) if part else sorted(added)
            if len(added) == 1 and not part and not work.careful:
                work.join(added[0])
            else:
                self._compare_by_id(work, part, behind, spans[key].around(self._wide.near_ms))
            self._replace_ids(line, begin, end, behind)
            work.learn(key, line, before)

    def _compare_by_id(self, work: "_Work", part: list[Passage], behind: list[Passage], near: Span) -> None:
        before, after = by_id(part, self._limits) if part else [], by_id(behind, self._limits)
        was, is_ = taken_by(before), taken_by(after)
        if work.careful:
            self._anew_by_id(work, after, behind, near)
            return
        work.changes.before(before)
        work.changes.after(after)
        known = set(part)
        for passage in behind:
            if passage not in known:
                if passage not in is_:
                    work.join(passage)
            elif passage in was and passage not in is_:
                work.join(passage)
            elif passage in is_ and passage not in was:
                work.leave(passage)

    def _anew_by_id(self, work: "_Work", after: list[Visit], behind: list[Passage], near: Span) -> None:
        """What becomes of these passages, and of the lines of their plates, whatever became of them before."""
        work.changes.anew(after, behind, near)
        taken = taken_by(after)
        for passage in behind:
            if near.holds(passage.at_ms):
                work.force(passage)
                if passage not in taken:
                    work.join(passage)

    def _pair_forced_id(self, work: "_Work", line: KnownLine, added: list[Passage], near: Span) -> None:
        behind = sorted({*line.passages, *added})
        self._anew_by_id(work, by_id(behind, self._limits) if behind else [], behind, near)
        self._replace_ids(line, 0, len(line.passages), behind)

    def _replace_ids(self, line: KnownLine, begin: int, end: int, behind: list[Passage]) -> None:
        passages = [*line.passages[:begin], *behind, *line.passages[end:]]
        if len(passages) > _MOST_OF_AN_ID:
            passages = passages[-_MOST_OF_AN_ID:]
            line.since_ms = max(line.since_ms, passages[0].at_ms + self._wide.near_ms)
        line.passages = passages

    async def _pair_by_plate(self, work: "_Work") -> None:
        spans: dict[PlateKey, Span] = {}
        for key, moves in work.moves.items():
            spans[key] = _span([*moves.joining, *moves.leaving])
        for key, instants in work.forced_plates.items():
            spans[key] = spans.get(key, _NEVER).with_(instants)
        lines = await self._known(self._plates, self._participants(work), spans, work.forced_plates, work)
        changes = work.changes
        for key, line in lines.items():
            moves = work.moves.get(key) or _Moves()
            part: list[Passage] = []
            forced = key in work.forced_plates
            if forced:
                begin, end = 0, len(line.passages)
                behind = sorted({*line.passages, *moves.joining})
            elif not line.passages:
                begin, end, behind = 0, 0, sorted(moves.joining)
            else:
                changed = sorted([*moves.joining, *moves.leaving])
                begin, end = line.around(changed[0], changed[-1], self._limits)
                part = line.passages[begin:end]
                behind = sorted([*(one for one in part if one not in moves.leaving), *moves.joining])
            after = by_plate(behind, self._limits) if behind else []
            if forced or work.careful:
                changes.anew(after, [*behind, *moves.leaving], spans[key].around(self._limits.near_ms))
            else:
                changes.before(by_plate(part, self._limits) if part else [])
                changes.after(after)
            line.passages[begin:end] = behind
            line.shorten(self._limits)

    def _participants(self, work: "_Work") -> Callable[[Collection[PlateKey], Window, int], Awaitable[list[Passage]]]:
        async def load(keys: Collection[PlateKey], window: Window, until: int) -> list[Passage]:
            found = await self._surroundings.by_plate(keys, window, until)
            spans: dict[IdKey, Span] = {}
            for passage in found:
                key = (passage.lot_id, passage.visit_id)
                if passage.visit_id and not work.knows(key, passage.at_ms):
                    spans[key] = spans.get(key, _NEVER).with_([passage.at_ms])
            seen = [key for key in spans if key in work.ids_before]
            for key, line in (await self._known(self._ids, self._surroundings.by_id, spans, seen, work)).items():
                before = line.passages
                if key in work.ids_joining:
                    line.passages = sorted({*before, *work.ids_joining[key]})
                work.learn(key, line, before)
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
        spans: Mapping[K, Span],
        forced: Collection[K],
        work: "_Work",
    ) -> dict[K, KnownLine]:
        """The lines as they were before the batch, those that are made anew without the revised records."""
        found: dict[K, KnownLine] = {}
        recent: list[K] = []
        late: list[K] = []
        # What becomes of a record depends on what is near it, and so does what becomes of those that are near; of the
        # latter it matters, too, whether an id pairs them.
        reach_ms = (3 * self._wide.near_ms if lines is self._ids else 2 * self._limits.near_ms) + 1
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


class _Work:
    """What is known while one batch is worked on."""

    def __init__(self, batch: Batch, *, careful: bool) -> None:
        self.batch = batch
        self.careful = careful
        self.changes = Changes()
        self.dead = {(one.lot_id, one.record_id) for one in batch.revised}
        self.moves: dict[PlateKey, _Moves] = {}
        self.forced_ids: set[IdKey] = set()
        self.forced_plates: dict[PlateKey, set[int]] = {}
        self.ids_joining: dict[IdKey, list[Passage]] = {}
        self.ids_before: dict[IdKey, list[Passage]] = {}
        self.ids_behind: dict[IdKey, list[Passage]] = {}
        self._complete: dict[IdKey, list[Span]] = {}
        self.taken: dict[tuple[IdKey, bool], set[Passage]] = {}
        for one in batch.revised:
            for plate in one.plates:
                self.forced_plates.setdefault((one.lot_id, plate), set()).update(one.instants)
            places = [(one.lot_id, at_ms, one.record_id) for at_ms in one.instants]
            self.changes.bare.update(places)
            self.changes.seen.update(product(one.plates, places))

    def passages(self) -> Iterable[Passage]:
        """All records of the batch, as they hold."""
        yield from self.batch.fresh
        for one in self.batch.revised:
            yield from one.passages

    def knows(self, key: IdKey, at_ms: int) -> bool:
        """Whether the line of a visit id is known around an instant."""
        return any(span.holds(at_ms) for span in self._complete.get(key, ()))

    def learn(self, key: IdKey, line: KnownLine, before: list[Passage]) -> None:
        """The line of a visit id as it is, and as it was; what is known of other stretches of it stays."""
        self._complete.setdefault(key, []).append(Span(line.since_ms, line.until_ms))
        known = key in self.ids_before
        self.ids_before[key] = sorted({*self.ids_before[key], *before}) if known else before
        self.ids_behind[key] = sorted({*self.ids_behind[key], *line.passages}) if known else line.passages

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


def _span(passages: Collection[Passage]) -> Span:
    return Span(min(passages).at_ms, max(passages).at_ms)
