"""A place on earth in one of the four coordinate systems used in China, and the way from each to the others.

A mislabelled system moves a lot in Putian by 0.57 km (GCJ-02) or 1.19 km (BD-09), so no coordinate goes without it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from math import asin, atan2, cos, degrees, hypot, isfinite, pi, radians, sin, sqrt
from typing import Final


class CoordinateSystem(IntEnum):
    """Coordinate system (坐标系), numbered as in the transport ministry's ride-hailing interface; 0 is not stated."""

    UNSPECIFIED = 0
    GCJ02 = 1  # the shifted system that public maps must show
    WGS84 = 2  # satellite positioning
    BD09 = 3  # Baidu's, shifted once more
    CGCS2000 = 4  # 国家大地坐标系; within decimetres of WGS-84 and taken as equal


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A point in degrees; raises ValueError when a number is not finite or not on earth."""

    system: CoordinateSystem
    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (isfinite(self.latitude) and -90 <= self.latitude <= 90):
            raise ValueError("latitude must lie between -90 and 90 degrees")
        if not (isfinite(self.longitude) and -180 <= self.longitude <= 180):
            raise ValueError("longitude must lie between -180 and 180 degrees")


@dataclass(frozen=True, slots=True)
class Box:
    """All places between two parallels and two meridians, bounds included, in degrees of WGS-84.

    Raises ValueError unless south is not above north, west not east of east, and all of it on earth: a box does not
    cross the 180th meridian.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        if not (-90 <= self.south <= self.north <= 90 and -180 <= self.west <= self.east <= 180):
            raise ValueError("a box goes from south to north and from west to east, in degrees on earth")

    def contains(self, latitude: float, longitude: float) -> bool:
        """Whether a point of WGS-84 lies in the box."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


PUTIAN: Final = Box(south=24.9, west=118.4, north=25.8, east=119.7)
"""A generous box around the city."""

DECIMALS: Final = 7
"""How many decimals of a degree a canonical coordinate has; the last is a centimetre."""

EARTH_RADIUS_M: Final = 6_371_008.8
"""The mean radius of the earth (IUGG), in metres."""


def convert(place: Coordinate, system: CoordinateSystem) -> Coordinate:
    """The same place in another system, good to a millionth of a degree (0.1 m); GCJ-02 and BD-09 by public formulas.

    Raises ValueError when either system is unspecified: guessing would move the place.
    """
    if CoordinateSystem.UNSPECIFIED in (place.system, system):
        raise ValueError("a coordinate without its system cannot be converted")
    if _rank(place.system) == _rank(system):
        return Coordinate(system, place.latitude, place.longitude)
    point = (place.latitude, place.longitude)
    for step in range(_rank(place.system), _rank(system)):
        point = (_shift, _baidu)[step](*point)
    for step in range(_rank(place.system), _rank(system), -1):
        point = (_unshift, _unbaidu)[step - 1](*point)
    return Coordinate(system, *point)


def in_putian(place: Coordinate) -> bool:
    """Whether the place lies in the box around Putian (bounds included); raises as `convert` does."""
    true = convert(place, CoordinateSystem.WGS84)
    return PUTIAN.contains(true.latitude, true.longitude)


def canonical(place: Coordinate) -> Coordinate:
    """The same place in CGCS2000, rounded to seven decimals, as it is stored and searched; raises as `convert` does.

    WGS-84 has the same numbers. Canonical again changes nothing.
    """
    true = convert(place, CoordinateSystem.CGCS2000)
    return Coordinate(true.system, round(true.latitude, DECIMALS), round(true.longitude, DECIMALS))


def distance_m(one: Coordinate, other: Coordinate) -> float:
    """The metres between two places of any systems along the earth, good to half a per cent; raises as `convert`."""
    here, there = convert(one, CoordinateSystem.WGS84), convert(other, CoordinateSystem.WGS84)
    return great_circle_m(here.latitude, here.longitude, there.latitude, there.longitude)


def great_circle_m(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The metres between two points of one unshifted system (WGS-84 or CGCS2000) by the haversine formula."""
    north, other_north = radians(latitude), radians(other_latitude)
    chord = sin((other_north - north) / 2) ** 2
    chord += cos(north) * cos(other_north) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def near(latitude: float, longitude: float, radius_m: float) -> Box:
    """The smallest box that holds every point within so many metres of a point of WGS-84, by `great_circle_m`.

    Its corners lie farther away, so a search checks the distance too. Where the circle reaches a pole or the 180th
    meridian, the box goes all around. Raises ValueError when the point is not on earth or the radius not finite or
    negative.
    """
    centre = Coordinate(CoordinateSystem.WGS84, latitude, longitude)
    if not (isfinite(radius_m) and radius_m >= 0):
        raise ValueError("a radius is a number of metres, not negative")
    # A hair wider than the circle: rounding must not leave out a point on its rim.
    angle = radius_m / EARTH_RADIUS_M + 1e-12
    south, north = centre.latitude - degrees(angle), centre.latitude + degrees(angle)
    if south <= -90 or north >= 90:
        return Box(max(south, -90), -180, min(north, 90), 180)
    side = degrees(asin(min(1.0, sin(angle) / cos(radians(centre.latitude)))))
    if centre.longitude - side < -180 or centre.longitude + side > 180:
        return Box(south, -180, north, 180)
    return Box(south, centre.longitude - side, north, centre.longitude + side)


def _rank(system: CoordinateSystem) -> int:
    return {CoordinateSystem.GCJ02: 1, CoordinateSystem.BD09: 2}.get(system, 0)


_AXIS: Final = 6378245.0  # of the Krasovsky ellipsoid, in metres
_ECCENTRICITY: Final = 0.00669342162296594323  # squared
_BAIDU_TURN: Final = pi * 3000 / 180


def _shift(latitude: float, longitude: float) -> tuple[float, float]:
    """WGS-84 to GCJ-02; outside the box around China the two are one."""
    if not (0.8293 <= latitude <= 55.8271 and 72.004 <= longitude <= 137.8347):
        return latitude, longitude
    x, y = longitude - 105, latitude - 35
    ripple = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    bend = 1 - _ECCENTRICITY * sin(radians(latitude)) ** 2
    metres_north = _AXIS * (1 - _ECCENTRICITY) / (bend * sqrt(bend))
    metres_east = _AXIS / sqrt(bend) * cos(radians(latitude))
    return latitude + north * 180 / (metres_north * pi), longitude + east * 180 / (metres_east * pi)


def _baidu(latitude: float, longitude: float) -> tuple[float, float]:
    """GCJ-02 to BD-09."""
    distance = hypot(longitude, latitude) + 0.00002 * sin(latitude * _BAIDU_TURN)
    angle = atan2(latitude, longitude) + 0.000003 * cos(longitude * _BAIDU_TURN)
    return distance * sin(angle) + 0.006, distance * cos(angle) + 0.0065


def _unshift(latitude: float, longitude: float) -> tuple[float, float]:
    """GCJ-02 to WGS-84."""
    return _inverse(_shift, latitude, longitude)


def _unbaidu(latitude: float, longitude: float) -> tuple[float, float]:
    """BD-09 to GCJ-02."""
    return _inverse(_baidu, latitude, longitude)


def _inverse(
    way: Callable[[float, float], tuple[float, float]], latitude: float, longitude: float
) -> tuple[float, float]:
    """The point that `way` leads from; each round leaves a hundredth of the error."""
    guess = (latitude, longitude)
    for _ in range(8):
        there = way(*guess)
        guess = (guess[0] + latitude - there[0], guess[1] + longitude - there[1])
    return guess
