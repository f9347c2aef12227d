"""Coordinates: the shared vectors, and there and back again between all systems."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.coordinate import (
    EARTH_RADIUS_M,
    Box,
    Coordinate,
    CoordinateSystem,
    canonical,
    convert,
    distance_m,
    great_circle_m,
    in_putian,
    near,
)

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "vectors" / "coordinates.csv"
# The shared BD-09 rows were made with a widely copied slip, pi in place of 3000/180 pi (googollee/eviltransform#43),
# which moves them by some 40 m; they hold to that only. The exact BD-09 anchors are in tests of their own below.
BD09_TOLERANCE = 0.0005
SYSTEMS = st.sampled_from([system for system in CoordinateSystem if system])


def vectors() -> list[dict[str, str]]:
    with VECTORS.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.shared
def test_the_shared_vectors_hold() -> None:
    rows = vectors()
    assert rows
    for row in rows:
        place = Coordinate(CoordinateSystem[row["system"]], float(row["latitude"]), float(row["longitude"]))
        found = convert(place, CoordinateSystem[row["to"]])
        tolerance = BD09_TOLERANCE if row["system"] == "BD09" else float(row["tolerance_degrees"])
        assert found.latitude == pytest.approx(float(row["to_latitude"]), rel=0, abs=tolerance), row
        assert found.longitude == pytest.approx(float(row["to_longitude"]), rel=0, abs=tolerance), row


@given(SYSTEMS, SYSTEMS, st.floats(18, 53), st.floats(74, 135))
def test_there_and_back(one: CoordinateSystem, other: CoordinateSystem, latitude: float, longitude: float) -> None:
    back = convert(convert(Coordinate(one, latitude, longitude), other), one)
    assert back.system is one
    assert back.latitude == pytest.approx(latitude, rel=0, abs=1e-6)
    assert back.longitude == pytest.approx(longitude, rel=0, abs=1e-6)


def test_the_way_to_baidu_leads_through_gcj() -> None:
    true = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    shown = convert(true, CoordinateSystem.GCJ02)
    assert (shown.latitude, shown.longitude) == pytest.approx((25.451318, 119.012434), rel=0, abs=1e-6)
    baidu = convert(true, CoordinateSystem.BD09)
    assert (baidu.latitude, baidu.longitude) == pytest.approx((25.457366, 119.018936), rel=0, abs=1e-6)
    assert baidu == convert(shown, CoordinateSystem.BD09)
    same = convert(true, CoordinateSystem.CGCS2000)
    assert (same.latitude, same.longitude) == (true.latitude, true.longitude)


def test_the_way_from_baidu() -> None:
    """A pair computed by another implementation (wandergis/coordtransform#38)."""
    shown = convert(Coordinate(CoordinateSystem.BD09, 38.879741, 115.475216), CoordinateSystem.GCJ02)
    assert (shown.latitude, shown.longitude) == pytest.approx((38.873719782, 115.468729936), rel=0, abs=2e-6)


def test_abroad_nothing_is_shifted() -> None:
    paris = Coordinate(CoordinateSystem.WGS84, 48.8566, 2.3522)
    assert convert(paris, CoordinateSystem.GCJ02) == Coordinate(CoordinateSystem.GCJ02, 48.8566, 2.3522)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (-91, 0), (0, 181), (0, -181), (float("nan"), 0), (0, float("inf"))]
)
def test_not_on_earth(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="degrees"):
        Coordinate(CoordinateSystem.WGS84, latitude, longitude)


def test_no_system_no_conversion() -> None:
    nowhere = Coordinate(CoordinateSystem.UNSPECIFIED, 25.4541, 119.0077)
    with pytest.raises(ValueError, match="without its system"):
        convert(nowhere, CoordinateSystem.WGS84)
    with pytest.raises(ValueError, match="without its system"):
        in_putian(nowhere)
    with pytest.raises(ValueError, match="without its system"):
        convert(Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077), CoordinateSystem.UNSPECIFIED)


def test_putian_is_judged_by_the_true_place() -> None:
    assert in_putian(Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077))
    assert not in_putian(Coordinate(CoordinateSystem.WGS84, 26.0745, 119.2965))
    edge = Coordinate(CoordinateSystem.WGS84, 25.45, 119.699)
    assert in_putian(edge)
    assert convert(edge, CoordinateSystem.BD09).longitude > 119.7
    assert in_putian(convert(edge, CoordinateSystem.BD09))


@given(SYSTEMS, st.floats(18, 53), st.floats(74, 135))
def test_canonical(system: CoordinateSystem, latitude: float, longitude: float) -> None:
    place = Coordinate(system, latitude, longitude)
    stored = canonical(place)
    assert stored.system is CoordinateSystem.CGCS2000
    assert canonical(stored) == stored
    assert (round(stored.latitude, 7), round(stored.longitude, 7)) == (stored.latitude, stored.longitude)
    assert distance_m(stored, place) < 0.1


def test_all_four_lead_to_one_canonical_place_and_from_it_to_what_maps_show() -> None:
    true = Coordinate(CoordinateSystem.CGCS2000, 25.4541, 119.0077)
    for system in CoordinateSystem:
        if system:
            assert canonical(convert(true, system)) == true
    assert convert(canonical(convert(true, CoordinateSystem.BD09)), CoordinateSystem.GCJ02).longitude == pytest.approx(
        119.012434, rel=0, abs=1e-6
    )


def test_distances() -> None:
    putian = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    fuzhou = Coordinate(CoordinateSystem.WGS84, 26.0745, 119.2965)
    assert distance_m(putian, putian) == 0
    assert distance_m(putian, fuzhou) == pytest.approx(74_800, rel=0.01)
    assert distance_m(putian, convert(fuzhou, CoordinateSystem.BD09)) == pytest.approx(distance_m(fuzhou, putian))
    assert great_circle_m(0, 0, 0, 180) == pytest.approx(EARTH_RADIUS_M * 3.14159265)
    assert great_circle_m(25, 0, 26, 0) == pytest.approx(111_195, abs=1)


def test_a_mislabelled_system_moves_a_lot_as_far_as_the_domain_says() -> None:
    true = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    moved = {
        system: distance_m(true, Coordinate(CoordinateSystem.WGS84, shown.latitude, shown.longitude))
        for system in (CoordinateSystem.GCJ02, CoordinateSystem.BD09)
        for shown in [convert(true, system)]
    }
    assert moved == {
        CoordinateSystem.GCJ02: pytest.approx(568, abs=2),
        CoordinateSystem.BD09: pytest.approx(1186, abs=2),
    }


LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)


@given(LATITUDES, LONGITUDES, st.floats(0, 2_000_000), LATITUDES, LONGITUDES)
def test_near_leaves_out_nothing_within_the_radius(
    latitude: float, longitude: float, radius: float, other_latitude: float, other_longitude: float
) -> None:
    box = near(latitude, longitude, radius)
    assert box.contains(latitude, longitude)
    if great_circle_m(latitude, longitude, other_latitude, other_longitude) <= radius:
        assert box.contains(other_latitude, other_longitude)


@given(st.floats(18, 53), st.floats(74, 135), st.floats(1, 50_000))
def test_near_is_no_wider_than_needed(latitude: float, longitude: float, radius: float) -> None:
    box = near(latitude, longitude, radius)
    assert great_circle_m(latitude, longitude, box.north, longitude) == pytest.approx(radius, rel=1e-3)
    assert great_circle_m(latitude, longitude, box.south, longitude) == pytest.approx(radius, rel=1e-3)
    assert great_circle_m(latitude, longitude, latitude, box.east) == pytest.approx(radius, rel=1e-2)
    assert not box.contains(latitude, box.east + 0.001)


def test_near_a_pole_and_the_180th_meridian_goes_all_around() -> None:
    assert near(89.99, 10, 50_000).east == 180
    assert near(25, 179.9, 50_000).west == -180
    assert near(-89.99, 10, 50_000).south == -90


@pytest.mark.parametrize("radius", [-1, float("nan"), float("inf")])
def test_no_radius(radius: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        near(25, 119, radius)


@pytest.mark.parametrize("sides", [(26, 119, 25, 120), (25, 120, 26, 119), (-91, 0, 0, 0), (0, 0, 0, float("nan"))])
def test_no_box(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="box"):
        Box(*sides)
