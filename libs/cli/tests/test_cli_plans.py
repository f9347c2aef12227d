"""How recorded lots are registered: facts kept, the rest invented and always the same."""

import pytest
from parkmesh.registry.v1 import gate_pb2, lot_pb2
from parkmesh_cli.demo import city
from parkmesh_cli.premises import Site, Way
from parkmesh_cli.replay.files import RecordedLot
from parkmesh_cli.replay.plans import plan
from protovalidate import validate
from vocabulary import division, gate_name


def recorded(number: int, *, capacity: int = 100, position: tuple[float, float] | None = None) -> RecordedLot:
    return RecordedLot(f"lot-{number}", f"Lot {number}", capacity, "Street 1", position)


def test_what_the_file_states_is_kept() -> None:
    lot = plan(recorded(1, capacity=321, position=(50.5, 6.25))).lot
    assert (lot.registration_number, lot.name, lot.open_berths, lot.address) == ("lot-1", "Lot 1", 321, "Street 1")
    assert (lot.coordinate.latitude, lot.coordinate.longitude) == (50.5, 6.25)
    assert lot.state == lot_pb2.LOT_STATE_ACTIVE


def test_a_lot_without_position_gets_one_in_its_district() -> None:
    for number in range(50):
        lot = plan(recorded(number)).lot
        assert 25.2 < lot.coordinate.latitude < 25.6
        assert 118.6 < lot.coordinate.longitude < 119.2
    assert plan(recorded(1)) == plan(recorded(1))
    assert plan(recorded(1)).lot.coordinate != plan(recorded(2)).lot.coordinate


def test_every_district_gets_lots() -> None:
    assert {plan(recorded(number)).lot.division_code for number in range(50)} == set(division.DISTRICTS)


@pytest.mark.parametrize(("capacity", "lanes"), [(299, 1), (300, 2)])
def test_gates_are_named_by_the_rule(capacity: int, lanes: int) -> None:
    way_in, way_out = plan(recorded(1, capacity=capacity)).gates
    assert way_in.name.endswith("路一号入口")
    assert way_out.name.endswith("路二号出口")
    assert [lane.direction for lane in way_in.lanes] == [gate_pb2.LANE_DIRECTION_ENTRY] * lanes
    assert [lane.direction for lane in way_out.lanes] == [gate_pb2.LANE_DIRECTION_EXIT] * lanes


def test_all_plans_keep_the_rules_of_the_proto_and_of_gate_names() -> None:
    for made in (*(plan(recorded(number)) for number in range(50)), *city.plans()):
        validate(made.lot)
        for gate in made.gates:
            validate(gate)
            assert gate_name.parse(gate.name).text == gate.name


def test_a_lane_for_both_directions_serves_both() -> None:
    lanes = [
        gate_pb2.Lane(lane_id="1", direction=gate_pb2.LANE_DIRECTION_BOTH),
        gate_pb2.Lane(lane_id="2", direction=gate_pb2.LANE_DIRECTION_EXIT),
    ]
    site = Site.of("lot_1", [gate_pb2.Gate(gate_id="1", lanes=lanes)])
    assert site == Site("lot_1", (Way("1", "1"),), (Way("1", "1"), Way("1", "2")))
