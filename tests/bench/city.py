"""A city to register: its lots, gates and berths, as messages and as the censuses that state the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from parkmesh.registry.v1 import berth_pb2, coordinate_pb2, gate_pb2, lot_pb2
from registry.surveys.testing import berth_row, csv_of, gate_row, lot_row

_GATES: Final = (
    ("1", "文献路一号入口", gate_pb2.LANE_DIRECTION_ENTRY),
    ("2", "文献路二号入口", gate_pb2.LANE_DIRECTION_ENTRY),
    ("3", "胜利路一号出口", gate_pb2.LANE_DIRECTION_EXIT),
)


@dataclass(frozen=True)
class City:
    """Lots of three gates with a lane each, and berths spread evenly over them."""

    prefix: str
    """What the registration numbers begin with."""
    lots: int
    berths: int = 0

    def lot(self, number: int) -> lot_pb2.Lot:
        """The lot of that number, from 0 on, as its vendor files it."""
        place = coordinate_pb2.Coordinate(
            latitude=25.40 + number % 100 / 1_000,
            longitude=119.00 + number // 100 / 1_000,
            system=coordinate_pb2.COORDINATE_SYSTEM_GCJ02,
        )
        return lot_pb2.Lot(
            registration_number=f"{self.prefix}-{number:05d}",
            name=f"{self.prefix} 停车场 {number:05d}",
            type=lot_pb2.LOT_TYPE_PUBLIC,
            division_code="350302",
            address=f"文献路 {number} 号",
            coordinate=place,
            open_berths=400,
        )

    def gates(self) -> Iterator[gate_pb2.Gate]:
        """The gates that each of the lots has."""
        for gate_id, name, direction in _GATES:
            lanes = [gate_pb2.Lane(lane_id="1", direction=direction)]
            yield gate_pb2.Gate(gate_id=gate_id, name=name, lanes=lanes)

    def census_of_lots(self) -> bytes:
        """All lots in CSV."""
        return csv_of([lot_row(self.lot(number)) for number in range(self.lots)])

    def census_of_gates(self) -> bytes:
        """All their gates in CSV."""
        return csv_of([gate_row(gate, self.lot(number)) for number in range(self.lots) for gate in self.gates()])

    def census_of_berths(self) -> bytes:
        """All berths in CSV."""
        lots = [self.lot(number) for number in range(self.lots)]
        berths = [
            berth_pb2.Berth(berth_id=f"b{number // self.lots:03d}", berth_class=lot_pb2.BERTH_CLASS_SMALL)
            for number in range(self.berths)
        ]
        return csv_of([berth_row(berth, lots[number % self.lots]) for number, berth in enumerate(berths)])

    def held(self) -> Mapping[str, tuple[tuple[str, ...], int]]:
        """What a register that holds it knows: the numbers of the gates and how many berths, by registration number."""
        gates = tuple(gate.gate_id for gate in self.gates())
        share, more = divmod(self.berths, self.lots)
        return {self.lot(number).registration_number: (gates, share + (number < more)) for number in range(self.lots)}
