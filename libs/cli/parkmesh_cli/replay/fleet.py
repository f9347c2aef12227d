"""Which vehicle makes each movement: nobody leaves who is not inside, and nobody is in two lots at once."""

import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from vocabulary import beijing

from parkmesh_cli.replay.day import Movement

_AWAY_MS: Final = 20 * beijing.MINUTE_MS
"""How long a vehicle is on the road, at least, before it comes to the next lot."""
_RETURNING: Final = 0.5
"""The share of entries that are made by a vehicle seen earlier, where there is one."""
_STAYS_MS: Final = tuple(
    minutes * beijing.MINUTE_MS for minutes in (10, 20, 30, 45, 60, 75, 90, 105, 120, 150, 180, 240, 300, 420, 540)
)
"""How long people wish to stay, each as likely as the other."""
_CANDIDATES: Final = 8
"""Of this many vehicles inside, picked by chance, the one leaves whose stay comes closest to the wish."""


class Visit(NamedTuple):
    """A stay of one vehicle in one lot."""

    arrival_ms: int
    """When it came; for those inside at the first reading, long before."""
    vehicle: int
    visit_id: str
    """Shared by the records of its entry and its exit; holds no plate."""


def assign(movements: Iterable[Movement], inside: Mapping[str, int], since_ms: int) -> Iterator[tuple[Movement, Visit]]:
    """The movements, in their order, each with the visit that it begins or ends; the same for the same input, always.

    inside: how many vehicles stand in each lot at `since_ms`, before the first movement; their visits have no entry.
    Raises ValueError for an exit out of an empty lot. Movements are in order of time.
    """
    # random() alone of Python's dice gives the same numbers in every version.
    dice = random.Random("parkmesh replay").random  # noqa: S311
    standing: dict[str, list[Visit]] = {}
    vehicles = 0
    for lot, count in sorted(inside.items()):
        standing[lot] = [
            Visit(since_ms - beijing.DAY_MS, vehicles + place, f"{_day(since_ms)}-{place + 1:06}-before")
            for place in range(count)
        ]
        vehicles += count
    # Vehicles on the road, by when they left.
    road: deque[tuple[int, int]] = deque()
    for movement in movements:
        here = standing.setdefault(movement.lot, [])
        if movement.entry:
            if road and road[0][0] + _AWAY_MS <= movement.time_ms and dice() < _RETURNING:
                vehicle = road.popleft()[1]
            else:
                vehicle = vehicles
                vehicles += 1
            visit = Visit(movement.time_ms, vehicle, f"{record_id(movement)}-visit")
            here.append(visit)
        else:
            if not here:
                raise ValueError("a vehicle leaves a lot that nobody is in")
            wished_ms = movement.time_ms - _STAYS_MS[int(dice() * len(_STAYS_MS))]
            candidates = [int(dice() * len(here)) for _ in range(_CANDIDATES)]
            chosen = min((abs(here[place].arrival_ms - wished_ms), place) for place in candidates)[1]
            here[chosen], here[-1] = here[-1], here[chosen]
            visit = here.pop()
            road.append((movement.time_ms, visit.vehicle))
        yield movement, visit


def record_id(movement: Movement) -> str:
    """The id of the movement's record, unique within the lot.

    No digit follows a letter in it, so that it can hold no plate's letters and digits.
    """
    return f"{_day(movement.time_ms)}-{movement.sequence:06}"


def _day(time_ms: int) -> str:
    return beijing.day_key(time_ms).replace("-", "")
