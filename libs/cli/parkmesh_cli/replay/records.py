"""A movement and its visit as the record that the lot's own system would have sent."""

from collections.abc import Iterable, Iterator, Mapping

from parkmesh.access.v1 import record_pb2

from parkmesh_cli.plates import vehicle
from parkmesh_cli.premises import Site
from parkmesh_cli.replay.day import Movement
from parkmesh_cli.replay.fleet import Visit, record_id


def records(
    movements: Iterable[tuple[Movement, Visit]], sites: Mapping[str, Site]
) -> Iterator[record_pb2.AccessRecord]:
    """One record for each movement. Nothing of it is left to chance: the same movements make the same records."""
    for movement, visit in movements:
        site = sites[movement.lot]
        ways = site.entries if movement.entry else site.exits
        way = ways[movement.sequence % len(ways)]
        car = vehicle(visit.vehicle)
        record = record_pb2.AccessRecord(
            record_id=record_id(movement),
            lot_id=site.lot_id,
            direction=record_pb2.DIRECTION_ENTRY if movement.entry else record_pb2.DIRECTION_EXIT,
            plate_number=car.plate,
            plate_colour=car.colour,
            plate_kind=car.kind,
            plate_state=record_pb2.PLATE_STATE_READ,
            vehicle_class=car.vehicle_class,
            gate_id=way.gate_id,
            lane_id=way.lane_id,
            visit_id=visit.visit_id,
            parking_type=car.parking,
            release_method=record_pb2.RELEASE_METHOD_AUTOMATIC,
            # An overfull lot reports fewer spaces than none; what is free to the public is none.
            free_spaces=max(0, movement.free),
        )
        record.event_time.seconds, milliseconds = divmod(movement.time_ms, 1000)
        record.event_time.nanos = milliseconds * 1_000_000
        yield record
