"""What is acknowledged is seen: by the vendor at once, by an analyst a moment later."""

import asyncio

from history.client import HistoryClient, Row
from local_platform.testing import RunningPlatform
from parkmesh_sdk import Client, Protocol

from ..city import HOUR_MS, analyst, connection, lots, now_ms, record


async def shown(desk: HistoryClient, sql: str, lot_id: str) -> list[Row]:
    """What an analyst finds about the lot, as soon as there is anything."""
    async with asyncio.timeout(30):
        while True:
            if rows := await desk.rows(f"{sql} WHERE lot_id = {{lot:String}}", {"lot": lot_id}):
                return rows
            await asyncio.sleep(0.05)


async def test_a_record_is_seen_with_its_lot_and_what_is_free_there(platform: RunningPlatform) -> None:
    (site,) = await lots(platform, "visible", 1, open_berths=120)
    sent = record(site, "seen-1", now_ms() - HOUR_MS)
    sent.plate_number = "闽B12345"
    sent.free_spaces = 119
    async with Client(connection(platform), protocol=Protocol.REST) as client, analyst(platform) as desk:
        assert (await client.upload([sent])).all_stored
        stored = await client.get_record(site.lot_id, "seen-1")
        assert stored.record == sent
        rows = await shown(
            desk,
            "SELECT record_id, direction, toUnixTimestamp64Milli(event_time), plate_masked, delay_ms, vendor_id"
            " FROM records",
            site.lot_id,
        )
        event_ms, vendor = sent.event_time.ToMilliseconds(), platform.demo["vendor"]["vendorId"]
        assert rows == [("seen-1", "entry", event_ms, "闽B·1**45", stored.delay_ms, vendor)]
        assert stored.delay_ms >= HOUR_MS
        assert await shown(desk, "SELECT name, division_code, division_name, open_berths FROM lots", site.lot_id) == [
            ("停车场visible-0", "350302", "城厢区", 120)
        ]
        ((free, age),) = await shown(desk, "SELECT free_spaces, age_seconds FROM lot_latest", site.lot_id)
        assert (free, age >= 3600) == (119, True)
        assert [one async for one in client.list_records(site.lot_id)] == [stored]


async def test_a_record_without_free_spaces_says_nothing_of_them(platform: RunningPlatform) -> None:
    (site,) = await lots(platform, "silent", 1)
    async with Client(connection(platform)) as client, analyst(platform) as desk:
        assert (await client.upload([record(site, "silent-1", now_ms() - HOUR_MS)])).all_stored
        assert await shown(desk, "SELECT free_spaces FROM records", site.lot_id) == [(None,)]
        assert not await desk.rows("SELECT * FROM lot_latest WHERE lot_id = {lot:String}", {"lot": site.lot_id})
