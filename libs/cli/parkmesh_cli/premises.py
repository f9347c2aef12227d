"""Where in a lot a record happens: its gates and lanes as records name them."""

from collections.abc import Iterable
from typing import NamedTuple

from parkmesh.registry.v1 import gate_pb2


class Way(NamedTuple):
    """A lane in or out."""

    gate_id: str
    lane_id: str


class Site(NamedTuple):
    """What a record needs to know of the lot it happens in."""

    lot_id: str
    """The id that the platform issued."""
    entries: tuple[Way, ...]
    exits: tuple[Way, ...]

    @classmethod
    def of(cls, lot_id: str, gates: Iterable[gate_pb2.Gate]) -> "Site":
        """The site with these gates; a lane for both directions serves both."""
        lanes = [(Way(gate.gate_id, lane.lane_id), lane.direction) for gate in gates for lane in gate.lanes]
        return cls(
            lot_id,
            tuple(way for way, direction in lanes if direction != gate_pb2.LANE_DIRECTION_EXIT),
            tuple(way for way, direction in lanes if direction != gate_pb2.LANE_DIRECTION_ENTRY),
        )


def two_gates(road: str, lanes: int) -> tuple[gate_pb2.Gate, gate_pb2.Gate]:
    """A gate in and a gate out with that many lanes each, named by the rule of annex A6: road, ordinal, direction."""
    return (
        _gate("1", f"{road}一号入口", gate_pb2.LANE_DIRECTION_ENTRY, lanes),
        _gate("2", f"{road}二号出口", gate_pb2.LANE_DIRECTION_EXIT, lanes),
    )


def _gate(gate_id: str, name: str, direction: gate_pb2.LaneDirection.ValueType, lanes: int) -> gate_pb2.Gate:
    return gate_pb2.Gate(
        gate_id=gate_id,
        name=name,
        lanes=[gate_pb2.Lane(lane_id=str(place + 1), direction=direction) for place in range(lanes)],
    )
