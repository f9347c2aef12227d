"""A small city that lives by the clock: what happens in it is a function of the time alone.

Whoever looks at the same stretch of time sees the same vehicles, so a stretch uploaded twice is told as duplicates.
Every visit begins in some hour at some lot and is drawn from the two; a stay ends within `_LONGEST_H` hours, so that
looking that far back gives the whole state at any instant.
"""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

from parkmesh.access.v1 import record_pb2
from parkmesh.registry.v1 import coordinate_pb2, lot_pb2
from vocabulary import beijing, division

from parkmesh_cli.plates import MOST, vehicle
from parkmesh_cli.premises import Site, two_gates
from parkmesh_cli.registration import Plan


class DemoLot(NamedTuple):
    """A lot of the simulated city."""

    number: str
    """Its registration number."""
    name: str
    district: str
    road: str
    latitude: float
    longitude: float
    berths: int


LOTS: Final = (
    DemoLot("demo-01", "荔城中心广场停车场", "350304", "文献路", 25.4340, 119.0112, 420),
    DemoLot("demo-02", "梅园路立体停车楼", "350304", "梅园路", 25.4392, 119.0165, 260),
    DemoLot("demo-03", "东圳路商业街停车场", "350304", "东圳路", 25.4478, 119.0239, 180),
    DemoLot("demo-04", "凤凰山公园停车场", "350302", "凤凰路", 25.4266, 118.9987, 150),
    DemoLot("demo-05", "学园路市民服务中心停车场", "350302", "学园路", 25.4189, 119.0034, 320),
    DemoLot("demo-06", "龙桥市场停车场", "350302", "胜利路", 25.4335, 119.0021, 110),
    DemoLot("demo-07", "涵江商业城停车场", "350303", "涵华路", 25.4589, 119.1163, 380),
    DemoLot("demo-08", "涵江火车站站前停车场", "350303", "站前路", 25.4655, 119.0903, 300),
    DemoLot("demo-09", "秀屿区行政中心停车场", "350305", "清塘路", 25.3187, 119.1054, 220),
    DemoLot("demo-10", "妈祖城游客中心停车场", "350305", "妈祖大道", 25.2391, 119.1172, 500),
    DemoLot("demo-11", "仙游鲤城停车场", "350322", "八二五大街", 25.3627, 118.6917, 240),
    DemoLot("demo-12", "仙游工艺城停车场", "350322", "榜头路", 25.3897, 118.7471, 160),
)
_BY_HOUR: Final = (1, 1, 1, 1, 1, 3, 8, 18, 24, 21, 18, 19, 18, 17, 18, 18, 20, 24, 25, 21, 15, 9, 5, 3)
"""How busy each hour of the day is: arrivals per hundred berths."""
_STAYS_MIN: Final = (8, 15, 20, 30, 40, 50, 60, 75, 90, 120, 150, 180, 240, 300, 420, 560)
"""How long people stay, each as likely as the other."""
_LONGEST_H: Final = 12
_LARGEST_HOUR: Final = 256
"""More arrivals than any hour at any lot has: each hour of each lot takes that many vehicles' numbers."""
_UNLICENSED: Final = 0.01
_UNREAD: Final = 0.02
_BY_HAND: Final = 0.05


class _Visit(NamedTuple):
    lot: DemoLot
    visit: str
    vehicle: int
    enter_ms: int
    leave_ms: int
    unlicensed: bool
    unread_in: bool
    unread_out: bool
    by_hand: bool


def plans() -> tuple[Plan, ...]:
    """The lots and gates to register."""
    return tuple(
        Plan(
            lot_pb2.Lot(
                registration_number=lot.number,
                name=lot.name,
                type=lot_pb2.LOT_TYPE_PUBLIC,
                division_code=lot.district,
                address=f"莆田市{division.NAMES[lot.district]}{lot.road}",
                coordinate=coordinate_pb2.Coordinate(
                    latitude=lot.latitude, longitude=lot.longitude, system=coordinate_pb2.COORDINATE_SYSTEM_WGS84
                ),
                open_berths=lot.berths,
                state=lot_pb2.LOT_STATE_ACTIVE,
            ),
            two_gates(lot.road, 2 if lot.berths >= 300 else 1),
        )
        for lot in LOTS
    )


def records(sites: dict[str, Site], start_ms: int, end_ms: int) -> list[record_pb2.AccessRecord]:
    """Every entry and exit from `start_ms` to before `end_ms`, in order of time; sites by registration number."""
    events = []
    free: dict[str, int] = {}
    for lot in LOTS:
        free[lot.number] = lot.berths
        for visit in _visits(lot, start_ms, end_ms):
            if visit.enter_ms < start_ms <= visit.leave_ms:
                free[lot.number] -= 1
            if start_ms <= visit.enter_ms < end_ms:
                events.append((visit.enter_ms, visit, True))
            if start_ms <= visit.leave_ms < end_ms:
                events.append((visit.leave_ms, visit, False))
    events.sort()
    found = []
    for time_ms, visit, entry in events:
        free[visit.lot.number] += -1 if entry else 1
        found.append(_record(visit, entry, time_ms, sites[visit.lot.number], free[visit.lot.number]))
    return found


def _visits(lot: DemoLot, start_ms: int, end_ms: int) -> Iterator[_Visit]:
    first = start_ms // beijing.HOUR_MS - _LONGEST_H
    for hour in range(first, end_ms // beijing.HOUR_MS + 1):
        yield from _beginning(lot, hour)


def _beginning(lot: DemoLot, hour: int) -> Iterator[_Visit]:
    # random() alone of Python's dice gives the same numbers in every version.
    dice = random.Random(f"parkmesh demo {lot.number} {hour}").random  # noqa: S311
    start_ms = hour * beijing.HOUR_MS
    clock = beijing.moment(start_ms)
    block = hour * len(LOTS) + LOTS.index(lot)
    for place in range(int(lot.berths * _BY_HOUR[clock.hour] / 100 * (0.8 + 0.4 * dice()))):
        enter_ms = start_ms + int(dice() * beijing.HOUR_MS)
        stay_min = _STAYS_MIN[int(dice() * len(_STAYS_MIN))] * (0.8 + 0.4 * dice())
        unlicensed = dice() < _UNLICENSED
        yield _Visit(
            lot=lot,
            visit=f"{clock:%Y%m%d%H}-{place:04}",
            vehicle=(block * _LARGEST_HOUR + place) % MOST,
            enter_ms=enter_ms,
            leave_ms=enter_ms + int(stay_min * beijing.MINUTE_MS),
            unlicensed=unlicensed,
            unread_in=not unlicensed and dice() < _UNREAD,
            unread_out=not unlicensed and dice() < _UNREAD,
            by_hand=dice() < _BY_HAND,
        )


def _record(visit: _Visit, entry: bool, time_ms: int, site: Site, free: int) -> record_pb2.AccessRecord:
    ways = site.entries if entry else site.exits
    way = ways[visit.vehicle % len(ways)]
    car = vehicle(visit.vehicle)
    record = record_pb2.AccessRecord(
        record_id=f"{visit.visit}-{'in' if entry else 'out'}",
        lot_id=site.lot_id,
        direction=record_pb2.DIRECTION_ENTRY if entry else record_pb2.DIRECTION_EXIT,
        vehicle_class=car.vehicle_class,
        gate_id=way.gate_id,
        lane_id=way.lane_id,
        visit_id=f"{visit.visit}-visit",
        parking_type=car.parking,
        release_method=record_pb2.RELEASE_METHOD_AUTOMATIC,
        # More vehicles than berths: nothing is free to the public.
        free_spaces=max(0, free),
    )
    record.event_time.FromMilliseconds(time_ms)
    if visit.unlicensed:
        record.plate_state = record_pb2.PLATE_STATE_UNLICENSED
    elif visit.unread_in if entry else visit.unread_out:
        record.plate_state = record_pb2.PLATE_STATE_UNREAD
    else:
        record.plate_state = record_pb2.PLATE_STATE_READ
        record.plate_number = car.plate
        record.plate_colour = car.colour
        record.plate_kind = car.kind
        record.confidence_permille = 940 + visit.vehicle % 60
    if visit.by_hand and not entry:
        record.release_method = record_pb2.RELEASE_METHOD_MANUAL
        record.release_reason = "现金收费"
    return record
