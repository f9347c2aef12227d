"""What stands in a lot: its gates with their lanes, its devices and berths, each added at the cost of one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from parkmesh.registry.v1 import gate_pb2


@dataclass(slots=True)
class Premises:
    """One lot's, for as long as the registry's epoch lasts; read through the views of LotFacts."""

    lanes: dict[tuple[str, str], gate_pb2.LaneDirection.ValueType] = field(default_factory=dict)
    """Which way each lane leads, by gate number and lane number."""
    gates: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """The keys of each gate's lanes, by gate number."""
    devices: set[str] = field(default_factory=set)
    berths: set[str] = field(default_factory=set)

    def put_gate(self, gate_id: str, lanes: Iterable[gate_pb2.Lane]) -> None:
        """Puts the gate with these lanes in the place of the gate of before."""
        for key in self.gates.get(gate_id, ()):
            del self.lanes[key]
        directions = {(gate_id, lane.lane_id): lane.direction for lane in lanes}
        self.lanes.update(directions)
        self.gates[gate_id] = tuple(directions)
