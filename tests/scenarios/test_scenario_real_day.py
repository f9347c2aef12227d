"""A whole real day of 470 lots through the edge: counted to the last movement, and never twice."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import redis.asyncio
from local_platform.testing import RunningPlatform
from parkmesh_cli.reconcile.summary import kind_of
from parkmesh_cli.replay import files
from parkmesh_sdk.reconciliation import Policy, Winner, reconcile

from ..city import analyst, drained, log_url, open_log
from .damage import damaged

pytestmark = pytest.mark.shared

REAL_DAY: Final = Path(__file__).parents[3] / "shared" / "data" / "real-day"
LOTS: Final = REAL_DAY / "lots.csv"
READINGS: Final = REAL_DAY / "free-spaces-2020-10-29.csv"
ENTRIES, EXITS, MOVEMENTS = 70_612, 69_372, 139_984
PART: Final = 20_000
DAYS: Final = 2
"""The Beijing days on which it lies."""


async def parkmesh(platform: RunningPlatform, verb: str, *options: str, code: int = 0) -> dict[str, Any]:
    """What `parkmesh VERB --json` says of the real day, called as a person calls it."""
    command = [str(Path(sys.executable).with_name("parkmesh")), verb, "--lots", str(LOTS)]
    command += ["--free-spaces", str(READINGS), "--demo", str(platform.folder / "demo.json"), "--json", *options]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def replay(platform: RunningPlatform, *options: str) -> dict[str, Any]:
    """What `parkmesh replay --json` says."""
    return await parkmesh(platform, "replay", *options)


def outcomes(answer: dict[str, Any]) -> dict[str, int]:
    """How many had which outcome; those that nobody had are left out."""
    names = ("accepted", "duplicate", "conflicting", "rejected", "deferred")
    assert sum(answer[name] for name in names) == answer["sent"]
    return {name: answer[name] for name in names if answer[name]}


async def counted(platform: RunningPlatform) -> dict[str, int]:
    """Entries and exits of the day's lots as an analyst counts them, by lot name and district."""
    await drained(platform)
    async with analyst(platform) as desk:
        rows = await desk.rows(
            "SELECT records.direction, lots.name, lots.division_name, count()"
            " FROM records INNER JOIN lots ON lots.lot_id = records.lot_id"
            " WHERE lots.registration_number IN {lots:Array(String)}"
            " GROUP BY records.direction, lots.name, lots.division_name",
            {"lots": list(files.read_lots(LOTS))},
        )
    assert all(name and district for _, name, district, _ in rows)
    found: dict[str, int] = {}
    for direction, _, _, count in rows:
        found[direction] = found.get(direction, 0) + count
    return found


@pytest.fixture(scope="module")
async def first(platform: RunningPlatform) -> dict[str, Any]:
    """What the first run of the whole day says."""
    return await replay(platform)


async def test_every_movement_is_accepted_and_counted(platform: RunningPlatform, first: dict[str, Any]) -> None:
    assert outcomes(first) == {"accepted": MOVEMENTS}
    assert first["lots"]["registered"] == 470
    assert not first["warnings"]
    assert await counted(platform) == {"entry": ENTRIES, "exit": EXITS}


async def test_an_analyst_sees_every_lot_and_what_it_last_reported(
    platform: RunningPlatform, first: dict[str, Any]
) -> None:
    assert first["accepted"]
    await drained(platform)
    recorded = files.read_lots(LOTS)
    readings = files.read_free_spaces(READINGS, recorded)
    # The last count that differs from the one before is the last that a movement reported; none are free below none.
    last = {lot: max(0, s[-1].free) for lot, s in readings.items() if any(one.free != s[0].free for one in s)}
    async with analyst(platform) as desk:
        lots = await desk.rows(
            "SELECT registration_number, name, open_berths FROM lots WHERE registration_number IN {lots:Array(String)}",
            {"lots": list(recorded)},
        )
        latest = await desk.rows(
            "SELECT lots.registration_number, latest.free_spaces, latest.age_seconds > 0 FROM lot_latest AS latest"
            " INNER JOIN lots ON lots.lot_id = latest.lot_id"
            " WHERE lots.registration_number IN {lots:Array(String)}",
            {"lots": list(recorded)},
        )
    assert {number: (name, berths) for number, name, berths in lots} == {
        lot.lot: (lot.name, lot.capacity) for lot in recorded.values()
    }
    assert {number: free for number, free, _ in latest} == last
    assert all(aged for _, _, aged in latest)


async def test_a_second_run_adds_nothing(platform: RunningPlatform, first: dict[str, Any]) -> None:
    assert first["accepted"]
    again = await replay(platform, "--rest", "--batch-size", "1000")
    assert outcomes(again) == {"duplicate": MOVEMENTS}
    assert again["lots"] == {**first["lots"], "registered": 0, "known": 470}
    assert await counted(platform) == {"entry": ENTRIES, "exit": EXITS}


async def test_every_lots_books_agree_with_the_file_they_came_from(
    platform: RunningPlatform, first: dict[str, Any]
) -> None:
    assert first["accepted"]
    answer = await parkmesh(platform, "reconcile")
    assert {name: answer[name] for name in ("agree", "differ", "unsettled", "records")} == {
        "agree": 470 * DAYS,
        "differ": 0,
        "unsettled": 0,
        "records": MOVEMENTS,
    }
    assert (answer["found"], answer["books"]) == ({}, [])
    assert answer["calls"] == 470


async def test_after_seeded_damage_exactly_the_damaged_records_are_found_and_made_good(
    platform: RunningPlatform, first: dict[str, Any]
) -> None:
    assert first["accepted"]
    async with damaged(platform, LOTS, READINGS) as (vendor, books, damage):
        found: dict[str, set[str]] = {}
        for lot_id, date in sorted(damage.books):
            result = await reconcile(vendor, lot_id, date, books[lot_id], Policy(repair=False))
            assert not result.equal
            for each in result.differences:
                found.setdefault(kind_of(each), set()).add(f"{lot_id} {each.record_id}")
        assert found == damage.records
        for name in damage.records["MISSING"]:
            # The day is counted by others, too.
            lot_id, _, record_id = name.partition(" ")
            books[lot_id].erase(record_id)
        for lot_id, date in sorted(damage.books):
            policy = Policy(winner=Winner.PLATFORM, author="real day", close=True)
            result = await reconcile(vendor, lot_id, date, books[lot_id], policy)
            assert result.equal, result.left
            assert result.report is not None
            assert result.report.equal
    assert await counted(platform) == {"entry": ENTRIES, "exit": EXITS}


async def test_a_run_after_a_restart_adds_nothing(platform: RunningPlatform, first: dict[str, Any]) -> None:
    assert first["accepted"]
    assert await asyncio.to_thread(platform.stop) == 0
    await asyncio.to_thread(platform.start)
    assert outcomes(await replay(platform, "--limit", str(PART))) == {"duplicate": PART}
    assert await counted(platform) == {"entry": ENTRIES, "exit": EXITS}


async def test_a_run_after_the_index_expired_adds_nothing(platform: RunningPlatform, first: dict[str, Any]) -> None:
    assert first["accepted"]
    await drained(platform)
    async with await open_log(platform) as log, redis.asyncio.Redis.from_url(log_url(platform)) as server:
        end = await log.end(0)
        # As trimming does it once every key is older than the horizon.
        names = [name async for name in server.scan_iter("{records:0}:idx*")]
        generations = [name for name in await server.hkeys("{records:0}:gen") if name.isdigit()]
        assert await server.delete(*names) == len(names) == len(generations)
        await server.hdel("{records:0}:gen", *generations)
        assert outcomes(await replay(platform, "--limit", str(PART))) == {"duplicate": PART}
        assert await log.end(0) == end
        assert not [name async for name in server.scan_iter("{records:0}:idx*")]
    assert await counted(platform) == {"entry": ENTRIES, "exit": EXITS}
