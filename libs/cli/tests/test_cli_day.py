"""Readings become movements, vehicles and records: the path of the counts is followed exactly, and always the same."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parkmesh.access.v1.record_pb2 import DIRECTION_ENTRY, AccessRecord
from parkmesh_cli.premises import Site, Way
from parkmesh_cli.replay import day, files, fleet
from parkmesh_cli.replay.day import Movement
from parkmesh_cli.replay.files import Reading
from parkmesh_cli.replay.fleet import Visit
from parkmesh_cli.replay.records import records
from vocabulary import ids, plate

REAL_DAY = Path(__file__).parents[4] / "shared" / "data" / "real-day"
START_MS = 4_102_444_800_000

Readings = dict[str, list[Reading]]


@st.composite
def recorded(draw: st.DrawFn) -> Readings:
    """A few lots with a few readings: close together, far apart, below none."""
    readings = {}
    for lot in draw(st.sets(st.sampled_from("abcd"), min_size=1)):
        time_ms = START_MS + draw(st.integers(0, 1000))
        series = []
        for _ in range(draw(st.integers(1, 6))):
            series.append(Reading(time_ms, draw(st.integers(-5, 30))))
            time_ms += draw(st.one_of(st.integers(1, 20), st.integers(1, 3_600_000)))
        readings[lot] = series
    return readings


def visits(readings: Readings, capacity: int = 20) -> list[tuple[Movement, Visit]]:
    inside = {lot: day.inside_at_first(series, capacity) for lot, series in readings.items()}
    return list(fleet.assign(day.movements(readings), inside, START_MS))


def sent(readings: Readings) -> list[AccessRecord]:
    sites = {lot: Site(f"lot_{lot}", (Way("1", "1"), Way("1", "2")), (Way("2", "1"),)) for lot in readings}
    return list(records(visits(readings), sites))


@given(recorded())
def test_the_path_of_the_counts_is_followed_exactly(readings: Readings) -> None:
    movements = list(day.movements(readings))
    assert len(movements) == day.count(readings)
    for lot, series in readings.items():
        free = series[0].free
        of_lot = [movement for movement in movements if movement.lot == lot]
        for before, after in pairwise(series):
            within = [each for each in of_lot if before.time_ms <= each.time_ms < after.time_ms]
            assert len(within) == abs(after.free - before.free)
            assert all(each.entry is (after.free < before.free) for each in within)
            for each in within:
                free += -1 if each.entry else 1
                assert each.free == free
            assert free == after.free


@given(recorded())
def test_movements_come_in_order_of_time_over_all_lots(readings: Readings) -> None:
    movements = list(day.movements(readings))
    assert movements == sorted(movements)
    for lot in readings:
        of_lot = [movement.sequence for movement in movements if movement.lot == lot]
        assert of_lot == list(range(1, len(of_lot) + 1))


def test_movements_are_spread_evenly() -> None:
    readings = {"a": [Reading(0, 10), Reading(1000, 6), Reading(2000, 7)]}
    assert [movement.time_ms for movement in day.movements(readings)] == [125, 375, 625, 875, 1500]


@given(recorded())
def test_nobody_leaves_who_is_not_inside_and_nobody_is_in_two_lots(readings: Readings) -> None:
    where: dict[int, tuple[str, str]] = {}
    arrived = set()
    for movement, visit in visits(readings):
        if movement.entry:
            assert visit.vehicle not in where
            where[visit.vehicle] = (movement.lot, visit.visit_id)
            arrived.add(visit.vehicle)
        elif visit.vehicle in arrived:
            assert where.pop(visit.vehicle) == (movement.lot, visit.visit_id)
            arrived.discard(visit.vehicle)
        else:
            assert visit.visit_id.endswith("-before")


@given(recorded())
def test_those_inside_at_first_leave_at_most_once_and_from_their_lot(readings: Readings) -> None:
    left = [(movement.lot, visit.visit_id) for movement, visit in visits(readings) if visit.visit_id.endswith("before")]
    assert len(left) == len(set(left))
    for lot, series in readings.items():
        assert sum(place == lot for place, _ in left) <= day.inside_at_first(series, 20)


def test_an_exit_out_of_an_empty_lot_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody is in"):
        list(fleet.assign([Movement(START_MS, "a", 1, False, 1)], {}, START_MS))


@given(recorded())
def test_a_second_run_sends_the_same(readings: Readings) -> None:
    again = {lot: list(readings[lot]) for lot in reversed(readings)}
    assert sent(readings) == sent(again)


@given(recorded())
def test_ids_are_unique_lawful_and_hold_no_plate(readings: Readings) -> None:
    made = sent(readings)
    assert len({(record.lot_id, record.record_id) for record in made}) == len(made)
    for record in made:
        for identifier in (record.record_id, record.visit_id):
            assert ids.is_vendor_id(identifier)
            assert not plate.id_reveals_plate(identifier, record.plate_number)
            # Whatever the plate: no letter comes before a digit.
            assert not any(first.isalpha() and second.isdigit() for first, second in pairwise(identifier))


def test_an_overfull_lot_has_no_free_space() -> None:
    made = sent({"a": [Reading(START_MS, 1), Reading(START_MS + 1000, -2)]})
    assert [record.free_spaces for record in made] == [0, 0, 0]
    assert all(record.HasField("free_spaces") for record in made)


def test_lanes_are_used_in_turn() -> None:
    made = sent({"a": [Reading(START_MS, 10), Reading(START_MS + 1000, 6), Reading(START_MS + 2000, 7)]})
    assert [(record.gate_id, record.lane_id) for record in made] == [
        ("1", "2"),
        ("1", "1"),
        ("1", "2"),
        ("1", "1"),
        ("2", "1"),
    ]


@pytest.mark.slow
@pytest.mark.shared
def test_the_real_day_holds_what_is_known_of_it() -> None:
    lots = files.read_lots(REAL_DAY / "lots.csv")
    readings = files.read_free_spaces(REAL_DAY / "free-spaces-2020-10-29.csv", lots)
    assert (len(lots), len(readings)) == (470, 366)
    assert day.count(readings) == 139_984
    inside = {lot: day.inside_at_first(series, lots[lot].capacity) for lot, series in readings.items()}
    since_ms = min(series[0].time_ms for series in readings.values())
    sites = {lot: Site(f"lot_{lot}", (Way("1", "1"),), (Way("2", "1"),)) for lot in readings}
    directions: Counter[int] = Counter()
    names = set()
    last_ms = 0
    for record in records(fleet.assign(day.movements(readings), inside, since_ms), sites):
        directions[record.direction] += 1
        names.add((record.lot_id, record.record_id))
        event_ms = record.event_time.ToMilliseconds()
        assert event_ms >= last_ms
        last_ms = event_ms
    entries = directions.pop(DIRECTION_ENTRY)
    assert (entries, *directions.values()) == (70_612, 69_372)
    assert len(names) == 139_984


@settings(max_examples=20)
@given(recorded())
def test_records_carry_all_that_a_record_needs(readings: Readings) -> None:
    for record in sent(readings):
        assert record.lot_id
        assert record.HasField("event_time")
        assert record.plate_number
        assert record.plate_colour
        assert record.vehicle_class
        assert record.gate_id
        assert record.lane_id
        assert record.visit_id
