"""The command against a running platform: what it says is what the history holds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from local_platform.testing import RunningPlatform
from parkmesh.registry.v1 import lot_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh_cli.premises import Site, two_gates
from parkmesh_cli.registration import Plan, register
from parkmesh_cli.target import read_demo
from parkmesh_sdk import Method, Protocol

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).parent / "parkmesh"
LOTS = """lot,name,city,capacity,address,latitude,longitude
cli-one,一号停车场,X,400,Street 1,50.5,6.25
cli-two,二号停车场,X,20,,,
cli-idle,三号停车场,X,5,,,
"""
READINGS = """time,lot,free
{day}T00:00:00+08:00,cli-one,300
{day}T00:00:00+08:00,cli-two,7
{day}T00:15:00+08:00,cli-two,-2
{day}T01:00:00+08:00,cli-one,180
{day}T02:00:00+08:00,cli-two,25
{day}T03:00:00+08:00,cli-one,260
"""
ENTRIES = 120 + 9
EXITS = 80 + 27


def parkmesh(platform: RunningPlatform, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env={**os.environ, **platform.environ, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def replay(
    platform: RunningPlatform, folder: Path, *options: str, day: str = "2020-03-14"
) -> tuple[int, dict[str, Any]]:
    (folder / "lots.csv").write_text(LOTS)
    (folder / "free.csv").write_text(READINGS.format(day=day))
    files = ["--lots", str(folder / "lots.csv"), "--free-spaces", str(folder / "free.csv")]
    done = parkmesh(platform, "replay", *files, "--json", "--batch-size", "50", *options)
    [line] = done.stdout.splitlines() or [done.stderr]
    said: dict[str, Any] = json.loads(line)
    return done.returncode, said


def asked(platform: RunningPlatform, query: str) -> str:
    done = parkmesh(platform, "query", query)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_day_is_stored_once_however_often_it_is_replayed(platform: RunningPlatform, tmp_path: Path) -> None:
    code, first = replay(platform, tmp_path)
    assert code == 0
    assert (first["sent"], first["accepted"], first["duplicate"]) == (ENTRIES + EXITS, ENTRIES + EXITS, 0)
    assert first["lots"] == {"registered": 3, "known": 0, "inventedPositions": 2}
    assert first["warnings"] == {}
    assert set(first["latencyMs"]) == {"p50", "p95", "p99", "max"}

    code, second = replay(platform, tmp_path, "--rest", "--concurrency", "2")
    assert code == 0
    assert (second["sent"], second["accepted"], second["duplicate"]) == (ENTRIES + EXITS, 0, ENTRIES + EXITS)
    assert second["lots"] == {"registered": 0, "known": 3, "inventedPositions": 2}


def test_the_analyst_finds_what_was_replayed(platform: RunningPlatform, tmp_path: Path) -> None:
    assert replay(platform, tmp_path)[0] == 0
    wanted = f"{ENTRIES} {EXITS} 2 3"
    query = """
        SELECT concat(toString(countIf(direction = 'entry')), ' ', toString(countIf(direction = 'exit')), ' ',
            toString(uniqExact(lot_id)), ' ',
            (SELECT toString(count()) FROM lots WHERE registration_number LIKE 'cli-%'))
        FROM records WHERE lot_id IN (SELECT lot_id FROM lots WHERE registration_number LIKE 'cli-%')
            AND event_time < '2021-01-01 00:00:00'
    """
    for _ in range(100):
        if wanted in asked(platform, query):
            break
    else:
        pytest.fail(asked(platform, query))
    free = asked(
        platform, "SELECT name, free_spaces FROM lot_latest WHERE name IN ('一号停车场', '二号停车场') ORDER BY 1"
    )
    assert "260" in free
    assert "25" in free


def test_anybody_finds_what_was_replayed(platform: RunningPlatform, tmp_path: Path) -> None:
    replay(platform, tmp_path)
    end = time.monotonic() + 30
    while True:
        done = parkmesh(platform, "near", "50.5", "6.25", "--system", "wgs84", "--radius", "10")
        assert done.returncode == 0, done.stderr
        rows = [line for line in done.stdout.splitlines() if "一号停车场" in line]
        if any("stale" in row for row in rows):
            break
        assert time.monotonic() < end, done.stdout
        time.sleep(0.2)
    assert "GCJ-02" in done.stdout


def test_a_day_to_come_is_refused_with_its_reason(platform: RunningPlatform, tmp_path: Path) -> None:
    code, said = replay(platform, tmp_path, day="2100-03-14")
    assert code == 1
    assert (said["accepted"], said["rejected"]) == (0, ENTRIES + EXITS)
    assert said["reasons"] == {"EVENT_IN_FUTURE": ENTRIES + EXITS}


def test_a_vendor_alone_replays_what_it_may_speak_for(platform: RunningPlatform, tmp_path: Path) -> None:
    assert replay(platform, tmp_path)[0] == 0
    edge, vendor = platform.demo["edge"], platform.demo["vendor"]
    there = ["--url", edge["url"], "--ca", edge["ca"], "--client-id", vendor["clientId"]]
    code, said = replay(platform, tmp_path, *there, "--client-secret", vendor["clientSecret"])
    assert (code, said["duplicate"]) == (0, ENTRIES + EXITS)
    wrong = parkmesh(
        platform,
        *("replay", "--lots", str(tmp_path / "lots.csv"), "--free-spaces", str(tmp_path / "free.csv")),
        *(*there, "--client-secret", "wrong"),
    )
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.splitlines() == [
        "parkmesh: the platform does not know this client id with this secret 客户端标识或密钥错误"
    ]


async def test_a_registration_that_was_cut_short_is_completed(platform: RunningPlatform) -> None:
    target = read_demo(platform.folder / "demo.json")
    lot = lot_pb2.Lot(
        registration_number="cli-half",
        name="四号停车场",
        type=lot_pb2.LOT_TYPE_PUBLIC,
        division_code="350302",
        open_berths=9,
        state=lot_pb2.LOT_STATE_ACTIVE,
    )
    create = Method.of(registry.DESCRIPTOR, "RegistryService", "CreateLot", registry.CreateLotRequest, lot_pb2.Lot)
    gates = two_gates("学园路", 1)
    done: list[int] = []
    async with target.clients(Protocol.GRPC) as (vendor, authority):
        assert authority is not None
        made = await authority.administrator.call(create, registry.CreateLotRequest(lot=lot))
        for _ in range(2):
            registered = await register(authority, vendor, target.vendor_id, [Plan(lot, gates)], lambda: done.append(1))
            assert registered.fresh == 0
            assert registered.sites == {"cli-half": Site.of(made.lot_id, gates)}
        assert [gate.name async for gate in vendor.list_gates(made.lot_id)] == [gate.name for gate in gates]
    assert done == [1, 1]


def test_the_demo_shows_what_an_analyst_sees(platform: RunningPlatform) -> None:
    first = parkmesh(platform, "demo", "--hours", "2")
    assert first.returncode == 0, first.stderr
    assert "荔城中心广场停车场" in first.stdout
    assert "are visible in ClickHouse" in first.stderr
    second = parkmesh(platform, "demo", "--hours", "2", "--rest")
    assert second.returncode == 0, second.stderr
    assert "were stored by an earlier run" in second.stderr


def test_a_query_that_the_history_refuses_is_one_line(platform: RunningPlatform) -> None:
    done = parkmesh(platform, "query", "SELECT plate_number FROM records")
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("parkmesh: the history refused the query: ")
