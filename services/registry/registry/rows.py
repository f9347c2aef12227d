"""Facts as rows of the database's tables, and back."""

from dataclasses import asdict
from typing import Any

from registry.domain import Coordinate, CoordinateSystem, Credential, Grant, Lot, LotState, LotType, Role, Vendor


def lot_row(lot: Lot) -> dict[str, Any]:
    """The columns of a lot."""
    row = asdict(lot)
    at = row.pop("coordinate") or {"latitude": None, "longitude": None, "system": None}
    return row | {"latitude": at["latitude"], "longitude": at["longitude"], "coordinate_system": at["system"]}


def lot(row: Any) -> Lot:
    """The lot of a row."""
    at = row.coordinate_system and Coordinate(row.latitude, row.longitude, CoordinateSystem(row.coordinate_system))
    return Lot(
        lot_id=row.lot_id,
        registration_number=row.registration_number,
        name=row.name,
        type=LotType(row.type),
        division_code=row.division_code,
        address=row.address,
        coordinate=at,
        open_berths=row.open_berths,
        state=LotState(row.state),
        create_ms=row.create_ms,
    )


def vendor(row: Any) -> Vendor:
    """The vendor of a row."""
    return Vendor(row.vendor_id, row.name, Role(row.role), row.requests_per_second, row.create_ms)


def credential(row: Any) -> Credential:
    """The credential of a row."""
    return Credential(row.client_id, row.vendor_id, row.create_ms, row.expire_ms, bool(row.revoked))


def grant(row: Any) -> Grant:
    """The grant of a row."""
    return Grant(row.vendor_id, row.lot_id, row.start_ms, row.end_ms)
