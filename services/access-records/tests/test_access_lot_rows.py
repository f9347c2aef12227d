"""What the history is told of a lot."""

from access_records.lot_rows import row_of
from directory.tables import Tables
from directory.testing import lot
from parkmesh.access.v1 import lot_row_pb2
from parkmesh.registry.v1 import coordinate_pb2, directory_service_pb2, lot_pb2


def row(made: lot_pb2.Lot) -> lot_row_pb2.LotRow:
    tables = Tables()
    tables.apply(directory_service_pb2.DirectoryChange(lot=made))
    return row_of(tables.lots[made.lot_id], 7)


def test_a_lot_becomes_a_row_with_the_name_of_its_division() -> None:
    assert row(lot("lot-1", address="文献路1号")) == lot_row_pb2.LotRow(
        lot_id="lot-1",
        registration_number="R-lot-1",
        name="停车场 lot-1",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        division_name="城厢区",
        address="文献路1号",
        open_berths=100,
        state=lot_pb2.LOT_STATE_ACTIVE,
        version=7,
    )


def test_its_position_is_kept_in_gcj02_whatever_it_was_given_in() -> None:
    given = coordinate_pb2.Coordinate(
        latitude=25.402808746, longitude=118.995311833, system=coordinate_pb2.COORDINATE_SYSTEM_WGS84
    )
    found = row(lot("lot-1", coordinate=given))
    assert (round(found.latitude, 6), round(found.longitude, 6)) == (25.4, 119.0)
    assert found.coordinate_system == coordinate_pb2.COORDINATE_SYSTEM_GCJ02
