"""A lot as the public sees it: what it is called and where it is, and nothing about who runs it or reports for it."""

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Final, NamedTuple

from directory import LotFacts
from parkmesh.registry.v1 import lot_pb2

_EARTH_RADIUS_M: Final = 6_371_008.8  # the mean one: off by at most 0.6 % along any line


class Point(NamedTuple):
    """A point on earth, ready for comparing distances."""

    latitude: float
    """In degrees, WGS-84."""
    longitude: float
    """In degrees, WGS-84."""
    x: float
    """Metres from the earth's middle, as `y` and `z`: what lies near is near in a straight line too."""
    y: float
    z: float


@dataclass(frozen=True, slots=True)
class Place:
    """A lot that the public may be told about."""

    lot_id: str
    name: str
    address: str
    type: lot_pb2.LotType.ValueType
    open_berths: int
    point: Point
    shown: tuple[float, float]
    """The same point's latitude and longitude in GCJ-02, which maps for the public must show (测绘法)."""


def place_of(lot: LotFacts) -> Place | None:
    """The lot's place; None unless it is in service and its position is known: nobody is sent to a closed lot."""
    if not lot.active or lot.position is None:
        return None
    return Place(
        lot_id=lot.lot_id,
        name=lot.name,
        address=lot.address,
        type=lot.type,
        open_berths=lot.open_berths,
        point=point_of(*lot.position.wgs84),
        shown=lot.position.gcj02,
    )


def point_of(latitude: float, longitude: float) -> Point:
    """The point at a position in degrees, WGS-84."""
    north, east = radians(latitude), radians(longitude)
    level = _EARTH_RADIUS_M * cos(north)
    return Point(latitude, longitude, level * cos(east), level * sin(east), _EARTH_RADIUS_M * sin(north))
