"""Wrong labels: what a division's box finds, what a lot's gates find, and what nothing can."""

from math import cos, radians

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vocabulary.coordinate import Coordinate, CoordinateSystem, convert, distance_m
from vocabulary.mislabel import NEIGHBOURHOOD_M, disagreement, likely_wrong_system, readings_of_lot

SHIFTS = [CoordinateSystem.WGS84, CoordinateSystem.GCJ02, CoordinateSystem.BD09]
LABELS = st.permutations(SHIFTS).map(lambda shuffled: (shuffled[0], shuffled[1]))
PLACES = st.builds(Coordinate, st.just(CoordinateSystem.WGS84), st.floats(24.95, 25.75), st.floats(118.45, 119.65))
METRES = st.floats(-100, 100)


def beside(place: Coordinate, north_m: float, east_m: float) -> Coordinate:
    """A place some metres away."""
    latitude = place.latitude + north_m / 111_195
    longitude = place.longitude + east_m / (111_195 * cos(radians(place.latitude)))
    return Coordinate(place.system, latitude, longitude)


def mislabelled(true: Coordinate, really: CoordinateSystem, said: CoordinateSystem) -> Coordinate:
    """The numbers of one system under the label of another."""
    shown = convert(true, really)
    return Coordinate(said, shown.latitude, shown.longitude)


@settings(deadline=None)
@given(PLACES, METRES, METRES, LABELS, st.sampled_from([system for system in CoordinateSystem if system]))
def test_a_wrong_label_on_one_of_two_is_found_and_named(
    lot: Coordinate,
    north_m: float,
    east_m: float,
    labels: tuple[CoordinateSystem, CoordinateSystem],
    gate_system: CoordinateSystem,
) -> None:
    really, said = labels
    gate = convert(beside(lot, north_m, east_m), gate_system)
    assert disagreement(convert(lot, really), gate) is None
    wrong = mislabelled(lot, really, said)
    found = disagreement(wrong, gate)
    assert found is not None
    assert found.distance_m == distance_m(wrong, gate)
    assert (really, gate_system) in {(reading.one, reading.other) for reading in found.readings}
    assert [reading.distance_m for reading in found.readings] == sorted(
        reading.distance_m for reading in found.readings
    )
    assert all(reading.distance_m <= NEIGHBOURHOOD_M for reading in found.readings)
    turned = disagreement(gate, wrong)
    assert turned is not None
    assert (gate_system, really) in {(reading.one, reading.other) for reading in turned.readings}
    assert really in readings_of_lot(wrong, [gate, convert(lot, gate_system)])


@given(PLACES, METRES, METRES, LABELS)
def test_one_wrong_label_on_all_cannot_be_found(
    lot: Coordinate, north_m: float, east_m: float, labels: tuple[CoordinateSystem, CoordinateSystem]
) -> None:
    gate = mislabelled(beside(lot, north_m, east_m), *labels)
    assert disagreement(mislabelled(lot, *labels), gate) is None


def test_two_labels_can_be_in_question() -> None:
    numbers = (25.4541, 119.0077)
    found = disagreement(Coordinate(CoordinateSystem.WGS84, *numbers), Coordinate(CoordinateSystem.BD09, *numbers))
    assert found is not None
    assert {(reading.one, reading.other) for reading in found.readings} == {
        (CoordinateSystem.BD09, CoordinateSystem.BD09),
        (CoordinateSystem.WGS84, CoordinateSystem.WGS84),
    }


def test_a_place_that_no_label_explains() -> None:
    lot = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    found = disagreement(lot, beside(lot, 5000, 0))
    assert found is not None
    assert found.distance_m == pytest.approx(5000, abs=1)
    assert found.readings == ()
    assert readings_of_lot(lot, [beside(lot, 5000, 0)]) == ()


def test_the_lot_is_not_blamed_for_one_gate() -> None:
    lot = Coordinate(CoordinateSystem.WGS84, 25.4541, 119.0077)
    astray = mislabelled(lot, CoordinateSystem.GCJ02, CoordinateSystem.WGS84)
    assert readings_of_lot(lot, [beside(lot, 50, 0), astray]) == ()
    assert readings_of_lot(lot, []) == ()
    assert readings_of_lot(astray, [lot, beside(lot, 50, 0)]) == (CoordinateSystem.GCJ02,)
    assert readings_of_lot(astray, [lot, beside(lot, 5000, 0)]) == ()


def test_a_lot_in_another_county_is_flagged_and_no_system_is_blamed() -> None:
    seat_of_chengxiang = Coordinate(CoordinateSystem.GCJ02, 25.4337, 119.0010)
    assert likely_wrong_system("350302", seat_of_chengxiang) is None
    doubt = likely_wrong_system("350305", Coordinate(CoordinateSystem.WGS84, 25.60, 119.10))
    assert doubt is not None
    assert doubt.outside_m == pytest.approx(23_350, rel=0.01)
    assert doubt.systems == ()


def test_at_the_edge_of_the_city_a_wrong_label_is_named() -> None:
    inside = Coordinate(CoordinateSystem.WGS84, 25.45, 119.699)
    doubt = likely_wrong_system("350300", mislabelled(inside, CoordinateSystem.BD09, CoordinateSystem.CGCS2000))
    assert doubt is not None
    assert 500 < doubt.outside_m < 1300
    assert CoordinateSystem.BD09 in doubt.systems


def test_elsewhere_nothing_is_known() -> None:
    assert likely_wrong_system("350200", Coordinate(CoordinateSystem.WGS84, 39.9, 116.4)) is None


def test_no_system_no_judgement() -> None:
    nowhere = Coordinate(CoordinateSystem.UNSPECIFIED, 25.4541, 119.0077)
    with pytest.raises(ValueError, match="without its system"):
        likely_wrong_system("350302", nowhere)
    with pytest.raises(ValueError, match="without its system"):
        disagreement(nowhere, nowhere)
