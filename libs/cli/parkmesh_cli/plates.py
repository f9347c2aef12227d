"""Invented vehicles: plates that are lawful, all different, and the same for the same number."""

from typing import Final, NamedTuple

from parkmesh.access.v1 import record_pb2

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS: Final = 10_000
_PLACES: Final = 5
MOST: Final = len(_LETTERS) * _PLACES * _DIGITS
"""How many different vehicles there are."""
_STRIDE: Final = 700_001
"""Has no divisor in common with MOST: neighbours in number are no neighbours in plate."""

# Putian's own, then its neighbours', then some from further away.
_HOMES: Final = ("闽B",) * 14 + ("闽A", "闽C", "闽C", "闽D", "浙A", "粤B")
_ENERGY: Final = "DFABC"


class Vehicle(NamedTuple):
    """What a camera and a card reader would tell of a vehicle."""

    plate: str
    colour: record_pb2.PlateColour.ValueType
    kind: record_pb2.PlateKind.ValueType
    vehicle_class: record_pb2.VehicleClass.ValueType
    parking: record_pb2.ParkingType.ValueType


def vehicle(number: int) -> Vehicle:
    """The vehicle of that number, from 0; no two have the same plate. ValueError from MOST on.

    One in four is a small new-energy car, one in fifty a large vehicle, one in five parks on a monthly card.
    """
    if not 0 <= number < MOST:
        raise ValueError(f"there are {MOST} invented vehicles")
    code = number * _STRIDE % MOST
    rest, digits = divmod(code, _DIGITS)
    place, letter = divmod(rest, len(_LETTERS))
    home = _HOMES[number % len(_HOMES)]
    parking = record_pb2.PARKING_TYPE_MONTHLY if number % 5 == 3 else record_pb2.PARKING_TYPE_TEMPORARY
    if code % 4 == 1:
        return Vehicle(
            f"{home}{_ENERGY[place]}{_LETTERS[letter]}{digits:04}",
            record_pb2.PLATE_COLOUR_GRADIENT_GREEN,
            record_pb2.PLATE_KIND_NEW_ENERGY_SMALL,
            record_pb2.VEHICLE_CLASS_SMALL,
            parking,
        )
    serial = f"{digits:04}"
    serial = f"{serial[:place]}{_LETTERS[letter]}{serial[place:]}"
    if code % 50 == 7:
        return Vehicle(
            home + serial,
            record_pb2.PLATE_COLOUR_YELLOW,
            record_pb2.PLATE_KIND_LARGE,
            record_pb2.VEHICLE_CLASS_LARGE,
            parking,
        )
    return Vehicle(
        home + serial,
        record_pb2.PLATE_COLOUR_BLUE,
        record_pb2.PLATE_KIND_SMALL,
        record_pb2.VEHICLE_CLASS_SMALL,
        parking,
    )
