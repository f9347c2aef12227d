"""A recorded day as the lots' own systems would have it: its lots, and one record for every movement."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from parkmesh.access.v1.record_pb2 import AccessRecord
from vocabulary import beijing

from parkmesh_cli.errors import CliError
from parkmesh_cli.plates import MOST
from parkmesh_cli.premises import Site
from parkmesh_cli.registration import Plan
from parkmesh_cli.replay import day, files, fleet, plans
from parkmesh_cli.replay.files import Reading, RecordedLot
from parkmesh_cli.replay.records import records


@dataclass(frozen=True)
class RecordedDay:
    """What the two files hold. The same files make the same records, always."""

    lots: dict[str, RecordedLot]
    readings: dict[str, list[Reading]]
    total: int
    """How many movements are wanted, the first ones; at least one."""
    _inside: dict[str, int]

    @classmethod
    def read(cls, lots: Path, free_spaces: Path, limit: int | None = None) -> Self:
        """The files' content, at most so many movements. CliError when they cannot be read or nothing happens."""
        found = files.read_lots(lots)
        readings = files.read_free_spaces(free_spaces, found)
        movements = day.count(readings)
        if not movements:
            raise CliError(f"{free_spaces}: no count changes, so there is nothing to replay")
        inside = {lot: day.inside_at_first(series, found[lot].capacity) for lot, series in readings.items()}
        if sum(inside.values()) + movements > MOST:
            raise CliError(f"the day may need more than the {MOST:,} vehicles that can be invented")
        return cls(found, readings, min(movements, limit or sys.maxsize), inside)

    @property
    def plans(self) -> list[Plan]:
        """How the lots are registered."""
        return [plans.plan(lot) for lot in self.lots.values()]

    @property
    def dates(self) -> list[str]:
        """The Beijing days from the first reading to the last, YYYY-MM-DD."""
        first, last = self._span_ms
        start_ms = beijing.day_bounds(first).start_ms
        return [beijing.day_key(at_ms) for at_ms in range(start_ms, last + 1, beijing.DAY_MS)]

    def records(self, sites: Mapping[str, Site]) -> Iterator[AccessRecord]:
        """The wanted movements' records, in order of time; `sites` are the lots by the files' ids."""
        visits = fleet.assign(day.movements(self.readings), self._inside, self._span_ms[0])
        return islice(records(visits, sites), self.total)

    @property
    def _span_ms(self) -> tuple[int, int]:
        series = [each for each in self.readings.values() if each]
        return min(each[0].time_ms for each in series), max(each[-1].time_ms for each in series)
