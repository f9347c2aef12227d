"""For tests of visits: passages in few words, small limits, and a log of records with its history, all in memory."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

from history.client import HistoryClient, Row
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.visit_row_pb2 import VisitRow, WithdrawnVisitRow

from access_records.tables import WITHDRAWALS
from access_records.testing import LOT, NOW_MS
from access_records.visits.changes import TABLES, Rows
from access_records.visits.neighbours import IdKey, PlateKey, Window
from access_records.visits.pairing import Limits, Passage
from access_records.visits.projection import Batch, Revised
from access_records.visits.visit_rows import Place, Seen

SMALL: Final = Limits(longest_ms=100, doubled_ms=5, crossing_ms=6, named_ms=40)
"""Limits that tests can count with."""
IN: Final = int(record_pb2.DIRECTION_ENTRY)
OUT: Final = int(record_pb2.DIRECTION_EXIT)


def passage(
    direction: int,
    at: int,
    plate: str = "a",
    *,
    visit: str = "",
    name: str = "",
    lot_id: str = LOT,
    state: int = record_pb2.PLATE_STATE_UNREAD,
) -> Passage:
    """A passage `at` milliseconds after NOW_MS; without a plate it was not read, unless `state` says otherwise."""
    return Passage(
        at_ms=NOW_MS + at,
        direction=direction,
        record_id=name or f"{'in' if direction == IN else 'out'}-{at}",
        lot_id=lot_id,
        plate_key=plate.encode(),
        visit_id=visit,
        plate_state=record_pb2.PLATE_STATE_READ if plate else state,
        plate_masked=plate,
        plate_colour=1,
        vehicle_class=1,
        gate_id="g1",
        lane_id="in" if direction == IN else "out",
        berth_id="",
        parking_type=0,
        accept_ms=NOW_MS + at + 300,
    )


class Noted(NamedTuple):
    """What one place of the log holds."""

    record_id: str
    number: int
    """0 for a first report; of the revisions of a record the highest one holds."""
    passage: Passage | None
    """None voids the record."""


class WrittenLog:
    """A log of one lot's records, and what the history makes of it; it may be ahead of who follows the log."""

    def __init__(self, noted: Iterable[Noted]) -> None:
        self.noted = list(noted)
        self.drained = len(self.noted)
        """Up to where the history has followed."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.noted))

    def holding(self, until: int) -> dict[str, tuple[int, Passage]]:
        """The records that hold as of a position, with the position of what last came under their ids."""
        found: dict[str, tuple[int, Passage]] = {}
        by_id: dict[str, list[tuple[int, Noted]]] = {}
        for offset, one in enumerate(self.noted[:until], start=1):
            by_id.setdefault(one.record_id, []).append((offset, one))
        for record_id, reports in by_id.items():
            latest = max((one for _, one in reports), key=lambda one: one.number)
            if any(one.number == 0 for _, one in reports) and latest.passage is not None:
                found[record_id] = (max(offset for offset, _ in reports), latest.passage)
        return found

    def batch(self, after: int, until: int) -> Batch:
        """The batch of a stretch of the log."""
        stretch = self.noted[after:until]
        ever: dict[str, list[Noted]] = {}
        for one in self.noted[:until]:
            ever.setdefault(one.record_id, []).append(one)
        revised = {
            one.record_id
            for one in stretch
            if any(other.number for other in ever[one.record_id])
            and any(not other.number for other in ever[one.record_id])
        }
        fresh = [one.passage for one in stretch if one.number == 0 and one.record_id not in revised and one.passage]
        holding = self.holding(until)
        made = []
        for record_id in sorted(revised):
            passages = [one.passage for one in ever[record_id] if one.passage]
            made.append(
                Revised(
                    LOT,
                    record_id,
                    [holding[record_id][1]] if record_id in holding else [],
                    frozenset(one.at_ms for one in passages),
                    frozenset(one.plate_key for one in passages if one.plate_key),
                    frozenset(one.visit_id for one in passages if one.visit_id),
                )
            )
        return Batch(after, until, fresh, made, now_ms=NOW_MS + 10_000)

    async def by_plate(self, keys: Collection[PlateKey], window: Window, until: int) -> list[Passage]:
        """As `neighbours.Neighbours`."""
        return [one for one in self._standing(window, until) if (one.lot_id, one.plate_key) in keys]

    async def by_id(self, keys: Collection[IdKey], window: Window, until: int) -> list[Passage]:
        """As `neighbours.Neighbours`."""
        return [one for one in self._standing(window, until) if (one.lot_id, one.visit_id) in keys]

    def _standing(self, window: Window, until: int) -> list[Passage]:
        return [
            one
            for offset, one in self.holding(self.drained).values()
            if offset <= until and window.start_ms <= one.at_ms < window.end_ms
        ]


_FOUND: Final = (
    "record_id, anchor_time, entry_record_id, exit_record_id, entry_time, exit_time, entry_gate_id, exit_gate_id,"
    " berth_id, plate_masked, plate_colour, vehicle_class, parking_type, visit_id, other_record_ids, dwell_ms, state,"
    " reasons, due_time, made_time"
)


_WRONGLY_FOUND: Final = """
SELECT plate, lot_id, sum(side), {found} FROM (
    SELECT hex(plate_key) AS plate, lot_id, 1 AS side, {found} FROM store.visits_by_plate FINAL
    UNION ALL
    SELECT hex(plate_key) AS plate, lot_id, -1 AS side, {found} FROM store.visits FINAL WHERE notEmpty(plate)
    UNION ALL
    SELECT hex(exit_plate_key) AS plate, lot_id, -1 AS side, {found} FROM store.visits FINAL WHERE notEmpty(plate)
)
GROUP BY plate, lot_id, {found}
HAVING sum(side) != 0
""".replace("{found}", _FOUND)


async def wrongly_found(client: HistoryClient) -> list[Row]:
    """The visits that are found by a plate that none of their records has (1), or as they are no more, and those that
    are not found by one that they have (-1).
    """
    return await client.rows(_WRONGLY_FOUND)


class Table:
    """The visits and the visits by their plates as ClickHouse keeps them: of the rows at one place that of the highest
    version stays.
    """

    def __init__(self) -> None:
        self.rows: dict[Place, VisitRow] = {}
        self.by_plate: dict[Seen, VisitRow | WithdrawnVisitRow] = {}

    def write(self, written: Mapping[str, Rows]) -> None:
        """Takes rows."""
        for table in TABLES:
            for part in written.get(table.name, {}).values():
                if table is WITHDRAWALS:
                    for withdrawn in map(WithdrawnVisitRow.FromString, part):
                        place = (withdrawn.lot_id, withdrawn.seen_ms, withdrawn.seen_record_id)
                        _newest(self.by_plate, (withdrawn.plate_key, place), withdrawn)
                else:
                    for row in map(VisitRow.FromString, part):
                        self._take(row)

    def _take(self, row: VisitRow) -> None:
        place = (row.lot_id, row.anchor_ms, row.record_id)
        _newest(self.rows, place, row)
        leaving = (row.lot_id, row.exit_ms, row.exit_record_id)
        for seen in ((row.plate_key, place), (row.exit_plate_key, leaving)):
            if seen[0] and not row.gone:
                _newest(self.by_plate, seen, row)

    def found(self) -> Mapping[Seen, bytes]:
        """The visits that are found by the plate of a record, without their versions."""
        return {seen: _bare(row) for seen, row in self.by_plate.items() if isinstance(row, VisitRow)}

    def standing(self) -> Mapping[Place, bytes]:
        """The rows that are not gone, without their versions."""
        return {place: _bare(row) for place, row in self.rows.items() if not row.gone}


K = TypeVar("K")
R = TypeVar("R", VisitRow, VisitRow | WithdrawnVisitRow)


def _newest(rows: dict[K, R], key: K, row: R) -> None:
    if key not in rows or rows[key].version <= row.version:
        rows[key] = row


def _bare(row: VisitRow) -> bytes:
    bare = VisitRow()
    bare.CopyFrom(row)
    bare.ClearField("version")
    return bare.SerializeToString(deterministic=True)
