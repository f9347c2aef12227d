"""Which places lie near a point: a grid of small cells, so that a search looks at its neighbourhood only."""

from collections.abc import Iterable
from math import ceil, cos, dist, floor, radians
from typing import Final, NamedTuple

from guidance.place import Place, Point

_CELLS_PER_DEGREE: Final = 100  # a cell is 1.1 km high, and 1.0 km wide in Putian: an ordinary search looks at nine
_AROUND: Final = 360 * _CELLS_PER_DEGREE
_POLAR: Final = 89.0
_METRES_PER_DEGREE: Final = 111_000.0  # of latitude, a little less than the true one, so that no cell is missed


class Hit(NamedTuple):
    """A place within the radius. Hits compare by distance, then by lot id."""

    distance_m: float
    lot_id: str
    place: Place


class Grid:
    """Places by cell. Changed one by one; a search allocates nothing but its hits."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._cells: dict[tuple[int, int], dict[str, Place]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def put(self, place: Place) -> None:
        """Adds the place, instead of the one with its id if there is one."""
        self.remove(place.lot_id)
        self._places[place.lot_id] = place
        self._cells.setdefault(_cell(place.point), {})[place.lot_id] = place

    def remove(self, lot_id: str) -> None:
        """Forgets the place; nothing happens when there is none."""
        place = self._places.pop(lot_id, None)
        if place is not None:
            self._cells[_cell(place.point)].pop(lot_id)

    def within(self, centre: Point, radius_m: float) -> list[Hit]:
        """The places at most so far from the centre, in no order."""
        hits = []
        middle = centre[2:]
        for place in self._around(centre, radius_m):
            distance_m = dist(middle, place.point[2:])
            if distance_m <= radius_m:
                hits.append(Hit(distance_m, place.lot_id, place))
        return hits

    def _around(self, centre: Point, radius_m: float) -> Iterable[Place]:
        """All places of the cells that the circle may touch; every place when those are more than there are."""
        reach = radius_m / _METRES_PER_DEGREE
        # A degree of longitude is shortest at the edge that is nearest to the pole, and around it all of them are near.
        edge = abs(centre.latitude) + reach
        if edge > _POLAR:
            return self._places.values()
        rows, columns = ceil(reach * _CELLS_PER_DEGREE), ceil(reach * _CELLS_PER_DEGREE / cos(radians(edge)))
        if (2 * rows + 1) * (2 * columns + 1) >= len(self._cells):
            return self._places.values()
        row, column = _cell(centre)
        return [
            place
            for north in range(row - rows, row + rows + 1)
            for east in range(column - columns, column + columns + 1)
            for place in self._cells.get((north, east % _AROUND), {}).values()
        ]


def _cell(point: Point) -> tuple[int, int]:
    return floor(point.latitude * _CELLS_PER_DEGREE), floor(point.longitude * _CELLS_PER_DEGREE) % _AROUND
