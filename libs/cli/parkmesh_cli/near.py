"""The lots around a point, as anybody may ask for them: without a token."""

from enum import StrEnum
from typing import Final, NamedTuple

from parkmesh.guidance.v1 import guidance_service_pb2 as guidance
from parkmesh.registry.v1 import coordinate_pb2
from parkmesh_sdk import Connection, Method
from parkmesh_sdk.grpc_transport import GrpcTransport
from rich.table import Table

SEARCH_LOTS: Final = Method.of(
    guidance.DESCRIPTOR, "GuidanceService", "SearchLots", guidance.SearchLotsRequest, guidance.SearchLotsResponse
)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


class System(StrEnum):
    """The coordinate systems, as one types them."""

    GCJ02 = "gcj02"
    """As maps in China show it."""
    WGS84 = "wgs84"
    """As GPS gives it."""
    BD09 = "bd09"
    """As Baidu's map shows it."""
    CGCS2000 = "cgcs2000"
    """As surveyors use it."""


class Point(NamedTuple):
    """Around what to search."""

    latitude: float
    longitude: float
    system: System


async def near(platform: Connection, point: Point, radius_m: int, limit: int) -> Table:
    """The lots as a table, the nearest first. PlatformError when the platform refuses or does not answer."""
    request = guidance.SearchLotsRequest(
        latitude=point.latitude,
        longitude=point.longitude,
        coordinate_system=coordinate_pb2.CoordinateSystem.Value(f"COORDINATE_SYSTEM_{point.system.name}"),
        radius_m=radius_m,
        page_size=limit,
    )
    transport = GrpcTransport(platform)
    try:
        answer = await transport.call(SEARCH_LOTS, request, "", platform.deadline_s)
    finally:
        await transport.close()
    return as_table(answer)


def as_table(answer: guidance.SearchLotsResponse) -> Table:
    """The lots for people; what was never reported is a dash, not a zero."""
    table = Table(caption="Positions in GCJ-02. 坐标系：GCJ-02" + ("  …" if answer.next_page_token else ""))
    for title in ("m 距离", "name 名称", "free 空余", "open 泊位", "age 时效", "", "position 位置", "address 地址"):
        right = title.startswith(("m ", "free", "open", "age"))
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for lot in answer.lots:
        known = lot.HasField("free_berths")
        table.add_row(
            f"{lot.distance_m:,}",
            lot.name,
            f"{lot.free_berths:,}" if known else "–",
            f"{lot.open_berths:,}",
            _age(lot.age_seconds) if known else "–",
            guidance.Freshness.Name(lot.freshness).removeprefix("FRESHNESS_").lower(),
            f"{lot.position.latitude:.6f}, {lot.position.longitude:.6f}",
            lot.address,
        )
    return table


def _age(seconds: int) -> str:
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
