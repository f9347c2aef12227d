"""What the public finds is what the lots report; and which lots report at all is a list."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_platform.testing import RunningPlatform
from parkmesh_sdk import Client

from ..city import HOUR_MS, connection, foreign_lot, lots, now_ms, record
from .wire import Wire

AROUND = "/v1/public/lots:search?latitude=25.4&longitude=119.0&coordinateSystem=COORDINATE_SYSTEM_GCJ02&radiusM=10"
Row = dict[str, Any]


@pytest.fixture
def wire(platform: RunningPlatform) -> Wire:
    return Wire(platform)


async def row(wire: Wire, path: str, lot_id: str, token: str = "") -> Row | None:
    """The lot's row in a list that is read page by page; None when it has none."""
    page = ""
    while True:
        answer = await wire.rest("GET", f"{path}&pageSize=100&pageToken={page}", token=token)
        assert answer.status == 200, answer.body
        for found in answer.content["lots"]:
            if found["lotId"] == lot_id:
                return dict(found)
        page = answer.content["nextPageToken"]
        if not page:
            return None


async def once(read: Callable[[], Awaitable[Row | None]], true: Callable[[Row], bool]) -> Row:
    """The row, once there is one of which that is true."""
    async with asyncio.timeout(60):
        while True:
            found = await read()
            if found is not None and true(found):
                return found
            await asyncio.sleep(0.1)


async def test_what_a_lot_reports_is_what_the_public_finds(platform: RunningPlatform, wire: Wire) -> None:
    (site,) = await lots(platform, "guided", 1, open_berths=120)
    shown = await once(lambda: row(wire, AROUND, site.lot_id), bool)
    assert (shown["freshness"], shown["openBerths"], shown["distanceM"]) == ("FRESHNESS_UNKNOWN", 120, 0)
    assert not {"freeBerths", "observeTime", "ageSeconds"} & shown.keys()
    assert shown["position"]["system"] == "COORDINATE_SYSTEM_GCJ02"
    assert (shown["position"]["latitude"], shown["position"]["longitude"]) == pytest.approx((25.4, 119.0), abs=1e-6)
    sent = record(site, "guided-1", now_ms() - HOUR_MS)
    sent.free_spaces = 0
    async with Client(connection(platform)) as client:
        assert (await client.upload([sent])).all_stored
    shown = await once(lambda: row(wire, AROUND, site.lot_id), lambda found: "freeBerths" in found)
    assert (shown["freeBerths"], shown["freshness"]) == (0, "FRESHNESS_STALE")
    assert shown["ageSeconds"] >= 3600


async def test_lots_that_report_and_lots_that_do_not_are_told_apart(platform: RunningPlatform, wire: Wire) -> None:
    (site,) = await lots(platform, "covered", 1)
    alone = await foreign_lot(platform, "covered-alone")
    administrator, vendor = await wire.token("administrator"), await wire.token()
    path = "/v1/coverage/lots?divisionCode=350302"
    found = await once(lambda: row(wire, path, alone, administrator), bool)
    assert (found["coverageState"], found["grantedVendors"]) == ("COVERAGE_STATE_NOT_CONNECTED", 0)
    assert await row(wire, path, alone, vendor) is None
    found = await once(lambda: row(wire, path, site.lot_id, vendor), bool)
    assert found["coverageState"] == "COVERAGE_STATE_NEVER_REPORTED"
    assert "grantedVendors" not in found
    async with Client(connection(platform)) as client:
        assert (await client.upload([record(site, "covered-1", now_ms() - HOUR_MS)])).all_stored

    def reporting(found: Row) -> bool:
        return bool(found["coverageState"] == "COVERAGE_STATE_REPORTING")

    await once(lambda: row(wire, path, site.lot_id, vendor), reporting)
