"""The demo from beginning to end: register the city, upload what happened in it, show what an analyst sees."""

import asyncio
import time
from typing import Final

from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh_sdk import Protocol
from vocabulary import beijing

from parkmesh_cli import analyst, registration
from parkmesh_cli.analyst import Desk
from parkmesh_cli.demo import city
from parkmesh_cli.errors import CliError
from parkmesh_cli.screen import bar, say, show
from parkmesh_cli.tally import Tally
from parkmesh_cli.target import Target

_BATCH: Final = 100
_AT_ONCE: Final = 4
_VISIBLE_S: Final = 60.0
_LOOK_S: Final = 0.1
_COUNT: Final = """\
SELECT count() FROM parkmesh.records
WHERE lot_id IN {lots:Array(String)}
  AND event_time >= fromUnixTimestamp64Milli({start:Int64}) AND event_time < fromUnixTimestamp64Milli({end:Int64})"""
QUERY: Final = """\
SELECT
    lots.division_name AS `区县`,
    lots.name AS `停车场`,
    countIf(records.direction = 'entry') AS `入场`,
    countIf(records.direction = 'exit') AS `出场`,
    uniqExactIf(records.plate_key, records.plate_key != '') AS `车辆`,
    any(lots.open_berths) AS `泊位`,
    any(latest.free_spaces) AS `空余`,
    any(latest.age_seconds) AS `秒前`
FROM parkmesh.records AS records
INNER JOIN parkmesh.lots AS lots ON lots.lot_id = records.lot_id
LEFT JOIN parkmesh.lot_latest AS latest ON latest.lot_id = records.lot_id
WHERE lots.registration_number LIKE 'demo-%' AND records.event_time >= now() - INTERVAL 24 HOUR
GROUP BY lots.division_name, lots.name
ORDER BY lots.division_name, lots.name"""
"""Entries, exits, vehicles and the last known free spaces of the demo's lots, by district and name."""


async def demo(target: Target, *, hours: int, protocol: Protocol, now_ms: int) -> int:
    """Uploads the simulated city's last hours and prints what an analyst sees. Returns 0 when every record is stored.

    CliError without administrators or an analyst, PlatformError when the platform refuses.
    """
    if target.administrator is None or target.analyst is None:
        raise CliError("the demo needs the administrators' and the analyst's accounts: start the platform by `make up`")
    start_ms = now_ms - hours * beijing.HOUR_MS
    plans = city.plans()
    async with analyst.desk(target.analyst) as desk, target.clients(protocol) as (vendor, authority):
        assert authority is not None
        with bar("registering lots 登记停车场", len(plans)) as progress:
            registered = await registration.register(authority, vendor, target.vendor_id, plans, progress.advance)
        records = city.records(registered.sites, start_ms, now_ms)
        say(
            f"A simulated city of {len(plans)} lots in Putian: {len(records):,} entries and exits "
            f"from {_clock(start_ms)} to {_clock(now_ms)}. 模拟城市"
        )
        tally = Tally()
        begun = time.monotonic()
        with bar("uploading 上报", len(records)) as progress:
            async for result in vendor.upload_all(records, batch_size=_BATCH, concurrency=_AT_ONCE):
                tally.add(result)
                progress.advance(result.size)
        tally.seconds = time.monotonic() - begun
        show(tally.as_table())
        if tally.duplicate:
            say(f"{tally.duplicate:,} were stored by an earlier run: the city is the same for everyone who looks.")
        if not tally.all_stored:
            return 1
        sites = [site.lot_id for site in registered.sites.values()]
        waited_s = await _visible(desk, sites, records, start_ms, now_ms)
        say(f"All {len(records):,} are visible in ClickHouse {waited_s:.1f} s after the last answer. 已可查询\n")
        show(QUERY)
        show((await desk.ask(QUERY)).as_table())
    return 0


async def _visible(desk: Desk, lots: list[str], records: list[AccessRecord], start_ms: int, end_ms: int) -> float:
    """Waits until the history holds all the records; how long that took, in seconds."""
    begun = time.monotonic()
    while True:
        answer = await desk.ask(_COUNT, {"lots": lots, "start": start_ms, "end": end_ms})
        if answer.rows[0][0] >= len(records):
            return time.monotonic() - begun
        if time.monotonic() - begun > _VISIBLE_S:
            raise CliError(
                f"after {_VISIBLE_S:.0f} s the history shows {answer.rows[0][0]:,} of {len(records):,} records"
            )
        await asyncio.sleep(_LOOK_S)


def _clock(time_ms: int) -> str:
    return f"{beijing.moment(time_ms):%Y-%m-%d %H:%M}"
