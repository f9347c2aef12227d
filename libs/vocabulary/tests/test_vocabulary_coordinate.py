"""Coordinates: the shared vectors, and there and back again between all systems."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary.coordinate import Coordinate, CoordinateSystem, convert, in_putian

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
