"""What the history holds around some records: the lines of their plates and of their visit ids."""

from collections import UserString
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from history.client import HistoryClient

from access_records.queries import query
from access_records.visits.pairing import Passage
from access_records.visits.passages import COLUMNS, of_row
from access_records.visits.visit_rows import Place

PlateKey = tuple[str, bytes]
"""Which line: a lot, and the pseudonym of a plate."""
IdKey = tuple[str, str]
"""Which line: a lot, and a visit id."""

T = TypeVar("T")

_MOST_KEYS: Final = 10_000
"""Keys of one query: its text must stay below what the server takes."""
_SHORT: Final = {"max_threads": 1}


class Window(NamedTuple):
    """From an instant on and before another, in epoch milliseconds."""

    start_ms: int
    end_ms: int


class Neighbours:
    """Reads lines from the history, as they are up to a position of the log. Raises HistoryUnavailable."""

    def __init__(self, client: HistoryClient) -> None:
        self._client = client

    async def by_plate(self, keys: Collection[PlateKey], window: Window, until: int) -> list[Passage]:
        """The records of these lines that hold in the window and were last revised at or before `until`."""
        places: set[Place] = set()
        for part in _chunks(sorted(keys, key=_plate_of)):
            lots, plates = _sets(part)
            told = {"lots": _texts(lots), "plates": _texts(plate.hex() for plate in plates)}
            places |= await self._hints("plate_hints", told, window, until)
        found = await self.at(places, until)
        return [passage for passage in found if (passage.lot_id, passage.plate_key) in keys]

    async def by_id(self, keys: Collection[IdKey], window: Window, until: int) -> list[Passage]:
        """As `by_plate`, for visit ids."""
        places: set[Place] = set()
        for part in _chunks(sorted(keys)):
            lots, ids = _sets(part)
            places |= await self._hints("visit_hints", {"lots": _texts(lots), "ids": _texts(ids)}, window, until)
        found = await self.at(places, until)
        return [passage for passage in found if (passage.lot_id, passage.visit_id) in keys]

    async def at(self, places: Collection[Place], until: int) -> list[Passage]:
        """The records that hold at these places and were last revised at or before `until`."""
        found: list[Passage] = []
        for part in _chunks(sorted(places)):
            told = {
                "lots": _texts({lot for lot, _, _ in part}),
                "times": _texts({str(at_ms) for _, at_ms, _ in part}),
                "ids": _texts({record for _, _, record in part}),
                "until": until,
            }
            sql = query("passages_at").replace("{columns}", COLUMNS)
            wanted = set(part)
            rows = await self._client.rows(sql, told, settings=_SHORT)
            found += [
                passage for passage in map(of_row, rows) if (passage.lot_id, passage.at_ms, passage.record_id) in wanted
            ]
        return found

    async def _hints(self, name: str, told: dict[str, Any], window: Window, until: int) -> set[Place]:
        asked = {**told, "start": window.start_ms, "end": window.end_ms, "until": until}
        rows = await self._client.rows(query(name), asked, settings=_SHORT)
        return {(lot_id, at_ms, record_id) for lot_id, at_ms, record_id in rows}


def _plate_of(key: PlateKey) -> bytes:
    return key[1]


def _sets(keys: Iterable[tuple[str, T]]) -> tuple[set[str], set[T]]:
    lots: set[str] = set()
    others: set[T] = set()
    for lot, other in keys:
        lots.add(lot)
        others.add(other)
    return lots, others


def _texts(values: Iterable[str]) -> UserString:
    # No id holds a blank or what must be escaped, and a UserString is not: the driver looks at a str by character.
    return UserString(" ".join(values))


def _chunks(keys: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(keys), _MOST_KEYS):
        yield keys[start : start + _MOST_KEYS]
