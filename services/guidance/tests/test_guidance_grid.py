"""The grid finds exactly what a look at every place would find."""

import math
import random

import pytest
from guidance.grid import Grid
from guidance.place import Place, point_of
from hypothesis import given, settings
from hypothesis import strategies as st
from parkmesh.registry.v1 import lot_pb2

EARTH_M = 6_371_008.8


def place(lot_id: str, latitude: float, longitude: float) -> Place:
    return Place(lot_id, lot_id, "", lot_pb2.LOT_TYPE_PUBLIC, 10, point_of(latitude, longitude), (latitude, longitude))


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great circle between two points, by the haversine formula."""
    (north, east), (south, west) = (tuple(map(math.radians, point)) for point in (one, other))
    half = math.sin((north - south) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))


def filled(points: list[tuple[float, float]]) -> Grid:
    grid = Grid()
    for number, (latitude, longitude) in enumerate(points):
        grid.put(place(f"lot-{number}", latitude, longitude))
    return grid


def found(grid: Grid, at: tuple[float, float], radius_m: float) -> dict[str, float]:
    return {hit.lot_id: hit.distance_m for hit in grid.within(point_of(*at), radius_m)}


latitudes = st.floats(-90, 90) | st.floats(25.3, 25.6)
longitudes = st.floats(-180, 180) | st.floats(118.9, 119.2)
near = st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))


@settings(deadline=None)
@given(latitudes, longitudes, st.lists(near, max_size=60), st.integers(1, 20_000))
def test_it_finds_what_lies_within_and_nothing_else(
    latitude: float, longitude: float, offsets: list[tuple[float, float]], radius_m: int
) -> None:
    at = (latitude, longitude)
    points = [
        (max(-90.0, min(90.0, latitude + north)), (longitude + east + 180) % 360 - 180) for north, east in offsets
    ]
    distances = {f"lot-{number}": metres(at, point) for number, point in enumerate(points)}
    hits = found(filled(points), at, radius_m)
    assert hits.keys() >= {lot_id for lot_id, away in distances.items() if away <= radius_m - 0.1}
    assert hits.keys() <= {lot_id for lot_id, away in distances.items() if away <= radius_m + 0.1}
    assert all(abs(distances[lot_id] - away) < 0.1 for lot_id, away in hits.items())


@pytest.mark.parametrize(
    "at", [(25.45, 119.0), (51.5, 0.0), (0.0, 180.0), (0.0, -180.0), (-33.9, 18.4), (88.0, 10.0), (89.999, 7.0)]
)
@pytest.mark.parametrize("radius_m", [1, 200, 1000, 20_000])
def test_a_full_grid_is_searched_by_its_cells(at: tuple[float, float], radius_m: int) -> None:
    dice = random.Random(7)
    points = [
        (
            max(-90.0, min(90.0, at[0] + dice.uniform(-0.4, 0.4))),
            (at[1] + dice.uniform(-9, 9) * (1 if abs(at[0]) > 80 else 0.05) + 180) % 360 - 180,
        )
        for _ in range(3000)
    ]
    hits = found(filled(points), at, radius_m)
    assert hits.keys() == {f"lot-{n}" for n, point in enumerate(points) if metres(at, point) <= radius_m}


def test_a_place_that_moves_or_goes_is_found_there_no_more() -> None:
    grid = filled([(25.45, 119.0)])
    grid.put(place("lot-0", 25.55, 119.1))
    assert not found(grid, (25.45, 119.0), 1000)
    assert found(grid, (25.55, 119.1), 1000)
    grid.remove("lot-0")
    grid.remove("lot-0")
    assert not found(grid, (25.55, 119.1), 20_000)
    assert len(grid) == 0
