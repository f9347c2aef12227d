"""The simulated city: the same for everyone who looks, whatever stretch of time they look at."""

from collections import Counter
from functools import cache

from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh_cli.demo import city
from parkmesh_cli.premises import Site
from protovalidate import validate
from vocabulary import beijing, plate

SITES = {plan.lot.registration_number: Site.of(f"lot_{place}", plan.gates) for place, plan in enumerate(city.plans())}
START_MS = 4_102_444_800_000


@cache
def day() -> tuple[AccessRecord, ...]:
    return tuple(city.records(SITES, START_MS, START_MS + beijing.DAY_MS))


def test_two_stretches_are_one_long_one() -> None:
    # At the very instant of an exit.
    middle_ms = next(
        record.event_time.ToMilliseconds()
        for record in day()[len(day()) // 2 :]
        if record.direction == record_pb2.DIRECTION_EXIT
    )
    parts = city.records(SITES, START_MS, middle_ms) + city.records(SITES, middle_ms, START_MS + beijing.DAY_MS)
    assert tuple(parts) == day()


def test_it_is_a_small_city_with_all_sorts_of_vehicles() -> None:
    states = Counter(record.plate_state for record in day())
    assert set(states) == {
        record_pb2.PLATE_STATE_READ,
        record_pb2.PLATE_STATE_UNREAD,
        record_pb2.PLATE_STATE_UNLICENSED,
    }
    assert 10_000 < len(day()) < 30_000
    assert states[record_pb2.PLATE_STATE_READ] > 0.9 * len(day())
    kinds = {record.plate_kind for record in day()}
    assert {record_pb2.PLATE_KIND_SMALL, record_pb2.PLATE_KIND_LARGE, record_pb2.PLATE_KIND_NEW_ENERGY_SMALL} < kinds
    assert {record.release_method for record in day()} == {
        record_pb2.RELEASE_METHOD_AUTOMATIC,
        record_pb2.RELEASE_METHOD_MANUAL,
    }


def test_ids_are_unique_and_hold_no_plate() -> None:
    assert len({(record.lot_id, record.record_id) for record in day()}) == len(day())
    for record in day():
        for identifier in (record.record_id, record.visit_id):
            assert not plate.id_reveals_plate(identifier, record.plate_number)


def test_visits_make_sense() -> None:
    inside: dict[tuple[str, str], AccessRecord] = {}
    parked: set[str] = set()
    for record in day():
        visit = (record.lot_id, record.visit_id)
        if record.direction == record_pb2.DIRECTION_ENTRY:
            inside[visit] = record
            if record.plate_number:
                assert record.plate_number not in parked
                parked.add(record.plate_number)
        else:
            entered = inside.pop(visit, None)
            if entered is not None:
                assert entered.event_time.ToMilliseconds() < record.event_time.ToMilliseconds()
                parked.discard(entered.plate_number)


def test_free_spaces_stay_within_the_berths() -> None:
    berths = {f"lot_{place}": lot.berths for place, lot in enumerate(city.LOTS)}
    assert all(0 <= record.free_spaces <= berths[record.lot_id] for record in day())
    assert any(record.free_spaces < berths[record.lot_id] / 2 for record in day())


def test_free_spaces_change_by_one_with_each_event() -> None:
    last: dict[str, int] = {}
    for record in day():
        step = -1 if record.direction == record_pb2.DIRECTION_ENTRY else 1
        if last.get(record.lot_id):
            assert record.free_spaces == last[record.lot_id] + step
        last[record.lot_id] = record.free_spaces


def test_records_keep_the_rules_of_the_proto() -> None:
    for record in day()[:500]:
        validate(record)
