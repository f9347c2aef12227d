"""The use case: the lots around a point, the nearest first, with what is known of their free berths."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from directory import Change, Directory, LotFacts

from guidance.grid import Grid, Hit
from guidance.place import Place, Point, place_of
from guidance.reports import Report, Reports


class Found(NamedTuple):
    """A lot near the point."""

    place: Place
    distance_m: float
    report: Report | None
    """What it last reported; None when it never did."""


@dataclass(frozen=True, slots=True)
class Search:
    """Searches the registry's lots. `changed` is to be called for every change of the directory."""

    directory: Directory
    reports: Reports
    grid: Grid

    def changed(self, change: Change) -> None:
        """Keeps the grid equal to the directory: a lot that is closed or loses its position is found no more."""
        if isinstance(change.before, LotFacts):
            self.grid.remove(change.before.lot_id)
        if isinstance(change.after, LotFacts) and (place := place_of(change.after)) is not None:
            self.grid.put(place)

    def near(
        self, centre: Point, radius_m: int, after: tuple[float, str] | None, limit: int, now_ms: int
    ) -> Sequence[Found]:
        """The first `limit` lots behind (distance, lot id), by distance, then lot id.

        DirectoryUnavailable when the lots were never known, or not for too long.
        """
        self.directory.require_fresh(now_ms)
        hits = self.grid.within(centre, radius_m)
        if after is not None:
            hits = [hit for hit in hits if hit[:2] > after]
        return [self._found(hit) for hit in nsmallest(limit, hits)]

    def _found(self, hit: Hit) -> Found:
        return Found(hit.place, hit.distance_m, self.reports.of(hit.lot_id))
