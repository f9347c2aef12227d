"""Coordinates whose stated system is likely not theirs (坐标系误标), found by where they would lie.

In Putian the same numbers lie 0.57 km apart when GCJ-02 is read as WGS-84, 0.94 km for BD-09 as GCJ-02 and 1.19 km for
BD-09 as WGS-84, each in a direction of its own. A division's box is coarser than that, so it finds lots in the wrong
county, swapped or mistyped numbers, and a wrong system at the city's edge only. Positions of one lot that ought to be
close, the lot's and its gates', do tell: a wrong label on one of them tears them apart by exactly one of these steps.
When all of a lot's positions bear the same wrong label, they agree with each other, and nothing here can tell.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from vocabulary import division
from vocabulary.coordinate import Coordinate, CoordinateSystem, convert, distance_m, great_circle_m

NEIGHBOURHOOD_M: Final = 250.0
"""How far a lot's gates may ordinarily lie from its position, in metres; less than half the smallest step."""

_READINGS: Final = (CoordinateSystem.WGS84, CoordinateSystem.GCJ02, CoordinateSystem.BD09)


class Doubt(NamedTuple):
    """A place outside its division's box."""

    outside_m: float
    """How far outside, in metres."""
    systems: tuple[CoordinateSystem, ...]
    """In which systems the same numbers would lie inside; none when the system alone cannot be what is wrong."""


class Reading(NamedTuple):
    """Two systems in which two places' numbers would lie closer together; one of them is as stated."""

    one: CoordinateSystem
    other: CoordinateSystem
    distance_m: float


class Disagreement(NamedTuple):
    """Two places that ought to be close and are not."""

    distance_m: float
    """As stated."""
    readings: tuple[Reading, ...]
    """What would bring them together, the closest first; several when more than one label could be wrong."""


def likely_wrong_system(code: str, place: Coordinate) -> Doubt | None:
    """What is odd about a place in that division; None when nothing is, or when the division's box is not known.

    Raises ValueError when the place's system is unspecified.
    """
    box = division.bounding_box(code)
    true = convert(place, CoordinateSystem.WGS84)
    if box is None or box.contains(true.latitude, true.longitude):
        return None
    nearest_latitude = min(max(true.latitude, box.south), box.north)
    nearest_longitude = min(max(true.longitude, box.west), box.east)
    inside = []
    for other in _others(place):
        moved = convert(other, CoordinateSystem.WGS84)
        if box.contains(moved.latitude, moved.longitude):
            inside.append(other.system)
    outside_m = great_circle_m(true.latitude, true.longitude, nearest_latitude, nearest_longitude)
    return Doubt(outside_m, tuple(inside))


def disagreement(one: Coordinate, other: Coordinate, within_m: float = NEIGHBOURHOOD_M) -> Disagreement | None:
    """How far two places that ought to lie within so many metres do not, and which single wrong label explains it.

    None when they are close enough. No reading when no label explains it: then one of the places itself is wrong.
    Raises ValueError when a system is unspecified.
    """
    stated = distance_m(one, other)
    if stated <= within_m:
        return None
    pairs = [(again, other) for again in _others(one)] + [(one, again) for again in _others(other)]
    readings = (Reading(here.system, there.system, distance_m(here, there)) for here, there in pairs)
    close = [reading for reading in readings if reading.distance_m <= within_m]
    return Disagreement(stated, tuple(sorted(close, key=lambda reading: reading.distance_m)))


def readings_of_lot(
    lot: Coordinate, gates: Sequence[Coordinate], within_m: float = NEIGHBOURHOOD_M
) -> tuple[CoordinateSystem, ...]:
    """In which other systems a lot's numbers lie close to all its gates, when as stated they are close to none.

    Then the lot's label is the likely wrong one, not each gate's. Empty when there are no gates, one is close, or no
    system explains it. Raises ValueError when a system is unspecified.
    """
    if not gates or any(distance_m(lot, gate) <= within_m for gate in gates):
        return ()
    return tuple(again.system for again in _others(lot) if all(distance_m(again, gate) <= within_m for gate in gates))


def _others(place: Coordinate) -> Iterator[Coordinate]:
    """The same numbers in each system that would put them elsewhere; WGS-84 stands for CGCS2000 too."""
    unshifted = CoordinateSystem.WGS84 if place.system is CoordinateSystem.CGCS2000 else place.system
    return (Coordinate(system, place.latitude, place.longitude) for system in _READINGS if system is not unshifted)
