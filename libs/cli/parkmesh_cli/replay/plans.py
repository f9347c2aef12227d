"""How the lots of a recorded day are registered here: what the file states is kept, what it lacks is invented."""

import hashlib
from typing import Final

from parkmesh.registry.v1 import coordinate_pb2, lot_pb2
from vocabulary import division

from parkmesh_cli.premises import two_gates
from parkmesh_cli.registration import Plan
from parkmesh_cli.replay.files import RecordedLot

_CENTRES: Final = {
    "350302": (25.430, 118.995),
    "350303": (25.460, 119.116),
    "350304": (25.434, 119.050),
    "350305": (25.318, 119.105),
    "350322": (25.362, 118.692),
}
"""A point in the middle of each of Putian's districts, WGS-84."""
_SPREAD: Final = 0.02
"""How far invented positions lie from the middle at most, in degrees."""
_ROADS: Final = ("文献路", "学园路", "荔园路", "胜利路", "延寿路", "东园路", "梅园路", "天妃路", "涵华路", "清塘路")
_TWO_LANES_FROM: Final = 300
"""Lots of this capacity and more have two lanes in each direction."""
_TURNS: Final = 1 << 32


def plan(recorded: RecordedLot) -> Plan:
    """The lot and its gates; the same for the same lot, whatever else the file holds.

    Its district, its road and, when the file states none, its position are invented: drawn from its id.
    """
    drawn = hashlib.sha256(recorded.lot.encode()).digest()
    district = division.DISTRICTS[int.from_bytes(drawn[:4]) % len(division.DISTRICTS)]
    road = _ROADS[int.from_bytes(drawn[4:8]) % len(_ROADS)]
    latitude, longitude = recorded.position or tuple(
        round(middle + _SPREAD * (2 * int.from_bytes(draw) / _TURNS - 1), 6)
        for middle, draw in zip(_CENTRES[district], (drawn[8:12], drawn[12:16]), strict=True)
    )
    lot = lot_pb2.Lot(
        registration_number=recorded.lot,
        name=recorded.name,
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code=district,
        address=recorded.address,
        coordinate=coordinate_pb2.Coordinate(
            latitude=latitude, longitude=longitude, system=coordinate_pb2.COORDINATE_SYSTEM_WGS84
        ),
        open_berths=recorded.capacity,
        state=lot_pb2.LOT_STATE_ACTIVE,
    )
    return Plan(lot, two_gates(road, 2 if recorded.capacity >= _TWO_LANES_FROM else 1))
