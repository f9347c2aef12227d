"""What the bench sends: records of many lots, all different, made before the clock starts."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from zlib import crc32

from google.protobuf.descriptor import FieldDescriptor
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh_cli.plates import MOST, vehicle

_IMAGES: Final = 2


class Place(NamedTuple):
    """A lane in or out of a registered lot."""

    lot_id: str
    gate_id: str
    lane_id: str
    direction: int


def camera(place: Place) -> str:
    """The id of the lane's camera."""
    return f"cam-{place.gate_id}-{place.lane_id}"


class Batch(NamedTuple):
    """Which records one request carries."""

    prefix: str
    """What the ids of the whole run begin with."""
    number: int
    size: int
    times_ms: tuple[int, ...]
    """The event time of each."""


def batches(prefix: str, count: int, size: int, first_ms: int, last_ms: int) -> Iterator[Batch]:
    """`count` batches of `size` records with event times spread at random, and the same every time."""
    chance = random.Random(prefix)
    for number in range(count):
        yield Batch(prefix, number, size, tuple(chance.randrange(first_ms, last_ms) for _ in range(size)))


def record_id(prefix: str, batch: int, index: int) -> str:
    """The id of a record by its place in the run."""
    return f"{prefix}-{batch:06d}-{index:03d}"


def record(places: Sequence[Place], batch: Batch, index: int) -> record_pb2.AccessRecord:
    """A record with 14 stated facts, 15 on exit, and beside them free spaces, confidence and two image ids.

    Two records after each other share a car and a visit, as an entry and its exit do.
    """
    name = record_id(batch.prefix, batch.number, index)
    serial = batch.number * batch.size + index
    place = places[(serial * 7919) % len(places)]
    visit = serial // 2
    car = vehicle((visit * 31 + _first_car(batch.prefix)) % MOST)
    made = record_pb2.AccessRecord(
        record_id=name,
        lot_id=place.lot_id,
        direction=place.direction,  # type: ignore[arg-type]
        plate_number=car.plate,
        plate_colour=car.colour,
        plate_kind=car.kind,
        plate_state=record_pb2.PLATE_STATE_READ,
        vehicle_class=car.vehicle_class,
        gate_id=place.gate_id,
        lane_id=place.lane_id,
        device_id=camera(place),
        visit_id=f"v-{batch.prefix}-{visit}",
        parking_type=car.parking,
        free_spaces=serial % 400,
        image_ids=[f"{name}-{image}" for image in range(_IMAGES)],
        confidence_permille=900 + serial % 100,
    )
    if place.direction == record_pb2.DIRECTION_EXIT:
        made.release_method = record_pb2.RELEASE_METHOD_AUTOMATIC
    made.event_time.seconds, milliseconds = divmod(batch.times_ms[index], 1000)
    made.event_time.nanos = milliseconds * 1_000_000
    return made


def _first_car(prefix: str) -> int:
    """A number that follows from the prefix alone, so that two runs park different cars."""
    return crc32(prefix.encode())


def request(places: Sequence[Place], batch: Batch) -> messages.UploadRecordsRequest:
    """The batch as a message."""
    return messages.UploadRecordsRequest(records=[record(places, batch, index) for index in range(batch.size)])


def json_body(sent: messages.UploadRecordsRequest) -> bytes:
    """The same as JSON, as a vendor's own program would write it: enums by name, times with Beijing's offset."""
    return json.dumps({"records": [_json_record(one) for one in sent.records]}, ensure_ascii=False).encode()


def _enum_names(field: FieldDescriptor) -> dict[int, str]:
    return {value.number: value.name for value in field.enum_type.values} if field.enum_type else {}


_NAMES: Final = {
    field.name: (field.json_name, _enum_names(field)) for field in record_pb2.AccessRecord.DESCRIPTOR.fields
}


def _json_record(sent: record_pb2.AccessRecord) -> dict[str, object]:
    written: dict[str, object] = {}
    for field, value in sent.ListFields():
        name, names = _NAMES[field.name]
        if field.name == "event_time":
            written[name] = value.ToJsonString()
        elif field.is_repeated:
            written[name] = list(value)
        else:
            written[name] = names[value] if names else value
    return written
