"""Gates: a name by the annex's rule that fits the lanes."""

from collections.abc import Iterator

from mesh.errors import FieldViolation
from parkmesh.registry.v1.gate_pb2 import (
    LANE_DIRECTION_BOTH,
    LANE_DIRECTION_ENTRY,
    LANE_DIRECTION_EXIT,
    Gate,
)
from vocabulary import gate_name, refusal
from vocabulary.gate_name import GateDirection
from vocabulary.refusal import Refusal

from registry.forms import position
from registry.forms.facts import Facts
from registry.forms.violation import broken, refused


class GateRule(refusal.Rule):
    """What can be wrong with a gate, besides the form of its name."""

    DIRECTION = (
        "gate.name_direction",
        "must fit the lanes: a 入口 has a lane in, an 出口 a lane out, an 出入口 both",
        "须与车道方向一致：入口应有进车道，出口应有出车道，出入口两者都应有",
    )
    LANE = ("lane.unique", "each lane number stands once in a gate", "同一出入口的车道编号不得重复")


async def examine(gate: Gate, facts: Facts, path: str) -> list[FieldViolation]:
    """Sets the position (A6, R5.1)."""
    return [*_name(gate, path), *_lanes(gate, path), *position.examine(gate, path)]


def _name(gate: Gate, path: str) -> Iterator[FieldViolation]:
    try:
        name = gate_name.parse(gate.name)
    except Refusal as refusal:
        yield refused(f"{path}.name", refusal)
        return
    ways = {lane.direction for lane in gate.lanes}
    leads_in = not ways.isdisjoint({LANE_DIRECTION_ENTRY, LANE_DIRECTION_BOTH})
    leads_out = not ways.isdisjoint({LANE_DIRECTION_EXIT, LANE_DIRECTION_BOTH})
    if (name.direction != GateDirection.EXIT and not leads_in) or (
        name.direction != GateDirection.ENTRY and not leads_out
    ):
        yield broken(f"{path}.name", GateRule.DIRECTION)


def _lanes(gate: Gate, path: str) -> Iterator[FieldViolation]:
    seen = set()
    for at, lane in enumerate(gate.lanes):
        if lane.lane_id in seen:
            yield broken(f"{path}.lanes[{at}].laneId", GateRule.LANE)
        seen.add(lane.lane_id)
