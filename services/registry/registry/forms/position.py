"""A position: what is given in one coordinate system, and the same in every other."""

from collections.abc import Iterator

from mesh.errors import FieldViolation
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.coordinate_pb2 import COORDINATE_SYSTEM_UNSPECIFIED, LatitudeLongitude, Position
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import Lot
from vocabulary import coordinate, refusal
from vocabulary.coordinate import CoordinateSystem

from registry.forms.violation import broken


class PositionRule(refusal.Rule):
    """What can be wrong with a coordinate."""

    SYSTEM_REQUIRED = (
        "coordinate.system_required",
        "must name the coordinate system: COORDINATE_SYSTEM_GCJ02, COORDINATE_SYSTEM_WGS84, COORDINATE_SYSTEM_BD09 or"
        " COORDINATE_SYSTEM_CGCS2000; they differ by up to 1.2 km",
        "须注明坐标系：COORDINATE_SYSTEM_GCJ02、COORDINATE_SYSTEM_WGS84、COORDINATE_SYSTEM_BD09 或"
        " COORDINATE_SYSTEM_CGCS2000；不同坐标系相差可达1.2公里",
    )
    INCOMPLETE = (
        "coordinate.incomplete",
        "must have both latitude and longitude, neither of them 0; leave the coordinate out when it is not known",
        "须同时填写纬度和经度，且均不为0；位置未知时请不要填写坐标",
    )
    EDGE = (
        "coordinate.edge",
        "must not lie at a pole or on the 180th meridian, where the systems cannot be converted into each other",
        "不得位于两极或180度经线，否则无法在各坐标系间换算",
    )


def examine(message: Lot | Gate | Berth, path: str) -> Iterator[FieldViolation]:
    """Sets the position in every system from the coordinate, and clears it when there is none or it is at fault."""
    message.ClearField("position")
    if not message.HasField("coordinate"):
        return
    given = message.coordinate
    # A number that is left out arrives as 0. No place in China has one.
    complete = given.latitude != 0 and given.longitude != 0
    stated = given.system != COORDINATE_SYSTEM_UNSPECIFIED
    if not complete:
        yield broken(f"{path}.coordinate", PositionRule.INCOMPLETE)
    if not stated:
        yield broken(f"{path}.coordinate.system", PositionRule.SYSTEM_REQUIRED)
    if complete and stated:
        place = coordinate.Coordinate(CoordinateSystem(given.system), given.latitude, given.longitude)
        try:
            message.position.CopyFrom(_everywhere(place))
        except ValueError:
            yield broken(f"{path}.coordinate", PositionRule.EDGE)


def _everywhere(place: coordinate.Coordinate) -> Position:
    return Position(
        wgs84=_point(place, CoordinateSystem.WGS84),
        gcj02=_point(place, CoordinateSystem.GCJ02),
        bd09=_point(place, CoordinateSystem.BD09),
        cgcs2000=_point(place, CoordinateSystem.CGCS2000),
    )


def _point(place: coordinate.Coordinate, system: CoordinateSystem) -> LatitudeLongitude:
    there = coordinate.convert(place, system)
    return LatitudeLongitude(
        latitude=round(there.latitude, coordinate.DECIMALS), longitude=round(there.longitude, coordinate.DECIMALS)
    )
