"""Invented vehicles: lawful, consistent, all different."""

import pytest
from parkmesh_cli.plates import MOST, vehicle
from vocabulary import plate


def test_plates_are_lawful_and_fit_their_colour_and_kind() -> None:
    for number in range(0, MOST, 997):
        made = vehicle(number)
        colour, kind = plate.PlateColour(made.colour), plate.PlateKind(made.kind)
        assert plate.inconsistencies(made.plate, colour, kind) == ()


def test_no_two_are_alike() -> None:
    numbers = [*range(60_000), *range(MOST - 60_000, MOST)]
    assert len({vehicle(number).plate for number in numbers}) == len(numbers)


def test_there_are_all_sorts() -> None:
    kinds = {plate.PlateKind(vehicle(number).kind) for number in range(500)}
    assert kinds == {plate.PlateKind.SMALL_CAR, plate.PlateKind.LARGE_CAR, plate.PlateKind.NEW_ENERGY_SMALL}


@pytest.mark.parametrize("number", [-1, MOST])
def test_more_there_are_not(number: int) -> None:
    with pytest.raises(ValueError, match="invented"):
        vehicle(number)
