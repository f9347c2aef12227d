"""`parkmesh admin grants`: which vendor may speak for which lot, and when."""

from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import vendor_pb2
from parkmesh.registry.v1 import vendor_service_pb2 as service
from parkmesh_sdk import Method

from parkmesh_cli.admin import moments
from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.vendors import Vendor

app = group("Which vendor may speak for which lot. 授权")

GRANTS: Final = (
    Column("lot 停车场标识", lambda grant: grant.lot_id, whole=True),
    time("from 生效时间", "start_time"),
    time("until 终止时间", "end_time"),
)

_FILE: Final = service.DESCRIPTOR
_GRANT: Final = Method.of(_FILE, "VendorService", "GrantLot", service.GrantLotRequest, vendor_pb2.Grant)
_REVOKE: Final = Method.of(_FILE, "VendorService", "RevokeGrant", service.RevokeGrantRequest, vendor_pb2.Grant)
_LIST: Final = Method.of(_FILE, "VendorService", "ListGrants", service.ListGrantsRequest, service.ListGrantsResponse)

Lot = Annotated[str, typer.Argument(help="The lot's id. 停车场标识")]


@app.command()
@asks(Office.SECURITY)
async def give(
    desk: Desk,
    vendor: Vendor,
    lot: Lot,
    start: Annotated[Timestamp | None, moments.option("--from", help="From when on; unset: now. 生效时间")] = None,
    end: Annotated[
        Timestamp | None, moments.option("--until", help="Until when; unset: until it is revoked. 终止时间")
    ] = None,
) -> None:
    """Lets a vendor speak for a lot; giving it again replaces the times. 授权停车场"""
    request = service.GrantLotRequest(vendor_id=vendor, lot_id=lot, start_time=start, end_time=end)
    desk.show(await desk.call(_GRANT, request))


@app.command()
@asks(Office.SECURITY)
async def revoke(desk: Desk, vendor: Vendor, lot: Lot) -> None:
    """Ends a grant at once. 撤销授权"""
    desk.show(await desk.call(_REVOKE, service.RevokeGrantRequest(vendor_id=vendor, lot_id=lot)))


@app.command(name="list")
@asks(Office.SECURITY)
async def list_(desk: Desk, vendor: Vendor) -> None:
    """Lists all grants that a vendor ever had. 授权列表"""
    desk.show_all(await desk.every(_LIST, service.ListGrantsRequest(vendor_id=vendor), "grants"), GRANTS)
