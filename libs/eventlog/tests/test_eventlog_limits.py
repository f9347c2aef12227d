"""Full memory, a full disk, an unsafe or absent server: refused in time, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from pathlib import Path

import pytest
from eventlog import EventLog, Limits, LogFull, LogUnavailable, Outcome, UnsafeServer
from eventlog.connection import Connection
from eventlog.durability import REQUIRED, check_settings
from eventlog.pressure import Pressure, Reading, refusal
from eventlog.server import EmbeddedServer, ServerSettings, free_port, running
from eventlog.testing import HandClock, make_item

SAFE = {**{name: needed for name, (needed, _) in REQUIRED.items()}, "maxmemory": "1000"}
NO_WATERMARK = Limits(memory_fraction=100.0)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory-policy", "allkeys-lru"),
        ("save", "3600 1"),
        ("maxmemory", "0"),
    ],
)
async def test_a_server_that_could_lose_what_it_acknowledges_is_refused(
    own_server: EmbeddedServer, clock: HandClock, setting: str, value: str
) -> None:
    check_settings(SAFE)
    with pytest.raises(UnsafeServer, match=setting):
        check_settings({**SAFE, setting: value})
    raw = Connection(own_server.url, timeout_s=5, retry_after_s=1)
    await raw.call("CONFIG", "SET", setting, value)
    with pytest.raises(UnsafeServer, match=setting):
        await EventLog.open(own_server.url, clock=clock)
    assert await raw.call("DBSIZE") == 0
    await raw.close()


def test_watermarks_leave_room_for_one_rewrite_of_the_file() -> None:
    limits = Limits(memory_fraction=0.8, disk_reserve_bytes=500)
    assert refusal(Reading(799, 1000, None), limits) is None
    assert refusal(Reading(800, 1000, None), limits) == "the log server uses 800 of 1000 bytes of memory"
    assert refusal(Reading(100, 1000, 600), limits) is None
    assert refusal(Reading(100, 1000, 599), limits) == "the disk of the log has 599 bytes left"


async def test_readings_are_taken_no_more_often_than_said(tmp_path: Path) -> None:
    taken: list[str] = []
    free = 10_000

    async def memory() -> tuple[int, int]:
        taken.append("memory")
        return 1, 1000

    def disk(folder: Path) -> int:
        taken.append(f"disk {folder == tmp_path}")
        return free

    seldom = Pressure(Limits(folder=tmp_path, disk_reserve_bytes=5_000, sample_every_s=3600), memory, disk)
    for _ in range(3):
        await seldom.check()
    assert taken == ["memory", "disk True"]
    always = Pressure(Limits(folder=tmp_path, disk_reserve_bytes=5_000, sample_every_s=0), memory, disk)
    await always.check()
    free = 10
    with pytest.raises(LogFull) as caught:
        await always.check()
    assert caught.value.retry_after == 5.0
    free = 10_000
    await always.check()


async def test_appends_stop_at_the_watermark_of_a_real_disk(server: EmbeddedServer, clock: HandClock) -> None:
    limits = Limits(folder=server.settings.folder, disk_reserve_bytes=1 << 60, retry_after_s=7)
    async with await EventLog.open(server.url, name="disk", clock=clock, limits=limits) as log:
        with pytest.raises(LogFull, match="disk") as caught:
            await log.append(0, [make_item(1)])
        assert caught.value.retry_after == 7
        with pytest.raises(LogFull):
            await log.pressure()
        assert await log.read(log.start(0)) == []


async def append_until(error: type[Exception], log: EventLog, size: int) -> int:
    """How many more records of this size the log took, one by one, until it raised."""
    begin = (await log.end(0)).offset
    for number in range(begin, begin + 10_000):
        try:
            assert await log.append(0, [make_item(number, size=size)]) == [(Outcome.ACCEPTED, number + 1)]
        except error:
            return number - begin
    raise AssertionError("it never raised")


async def test_memory_full_refuses_writes_but_reading_and_trimming_go_on(tmp_path: Path, clock: HandClock) -> None:
    with running(tmp_path, maxmemory_bytes=12 << 20) as small:
        every_time = Limits(memory_fraction=0.6, sample_every_s=0)
        async with await EventLog.open(small.url, clock=clock, limits=every_time) as careful:
            before = await append_until(LogFull, careful, 10_000)
        async with await EventLog.open(small.url, clock=clock, limits=NO_WATERMARK) as log:
            assert await append_until(LogFull, log, 10_000) > 100, "the watermark lies well before the server's own"
            end = (await log.end(0)).offset
            raw = Connection(small.url, timeout_s=5, retry_after_s=1)
            await raw.call("CONFIG", "SET", "maxmemory", 6 << 20)
            await raw.close()
            with pytest.raises(LogFull, match="memory is full"):
                await log.append(0, [make_item(-1)])
            assert end > before
            entries = await log.read(log.start(0), max_records=end)
            assert sum(len(entry.payloads) for entry in entries) == end
            assert [one.offset for one in await log.find(0, [make_item(0).key]) if one] == [1]
            clock.advance(hours=2)
            assert (await log.trim(await log.end(0))).oldest == end + 1
            assert await log.append(0, [make_item(-1)]) == [(Outcome.ACCEPTED, end + 1)]


async def test_disk_full_ends_the_server_and_loses_nothing_acknowledged(tmp_path: Path, clock: HandClock) -> None:
    """A limit on the size of its files does to the server what a full disk does: a write that fails halfway."""
    with running(tmp_path) as server:
        log = await EventLog.open(server.url, clock=clock, limits=NO_WATERMARK)
        await log.append(0, [make_item(-1)])
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (333_333, hard))
        number = 1 + await append_until(LogUnavailable, log, 5_000)
        assert server.wait() != 0
        with pytest.raises(LogUnavailable):
            await log.append(0, [make_item(5_000)])
        await log.close()
        server.start()
        async with await EventLog.open(server.url, clock=clock) as again:
            entries = await again.read(again.start(0), max_records=1_000)
            payloads = [payload for entry in entries for payload in entry.payloads]
            assert payloads[1:] == [make_item(n, size=5_000).payload for n in range(1, len(payloads))]
            assert len(payloads) >= number
            retried = await again.append(0, [make_item(number, size=5_000)])
            assert retried[0].offset == number + 1


async def test_an_absent_server_is_unavailable_and_heals(tmp_path: Path, clock: HandClock) -> None:
    nowhere = EmbeddedServer(ServerSettings(tmp_path, free_port()))
    with pytest.raises(LogUnavailable):
        await EventLog.open(nowhere.url, clock=clock)
    nowhere.start()
    try:
        async with await EventLog.open(nowhere.url, clock=clock) as log:
            await log.append(0, [make_item(1)])
            waiting = log.read(await log.end(0), block_ms=5_000)
            nowhere.stop()
            with pytest.raises(LogUnavailable):
                await waiting
            with pytest.raises(LogUnavailable):
                await log.append(0, [make_item(2)])
            nowhere.start()
            assert await log.append(0, [make_item(1), make_item(2)]) == [
                (Outcome.DUPLICATE, 1),
                (Outcome.ACCEPTED, 2),
            ]
    finally:
        nowhere.kill()


async def test_a_late_answer_is_never_taken_for_another(own_server: EmbeddedServer, clock: HandClock) -> None:
    """A call that ran out of time leaves its answer behind; nobody else may get to read it."""
    hasty = Limits(call_timeout_s=0.1, sample_every_s=3600)
    async with await EventLog.open(own_server.url, clock=clock, limits=hasty) as log:
        await log.append(0, [make_item(0)])
        for number in range(1, 5):
            os.kill(own_server.pid, signal.SIGSTOP)
            late = [log.append(0, [make_item(number)]), log.read(log.start(0)), log.find(0, [make_item(number).key])]
            assert [type(answer) for answer in await asyncio.gather(*late, return_exceptions=True)] == (
                [LogUnavailable] * 3
            )
            os.kill(own_server.pid, signal.SIGCONT)
            again = await log.append(0, [make_item(number), make_item(0)])
            assert again[1] == (Outcome.DUPLICATE, 1)
            assert again[0].offset == number + 1
            found = await log.find(0, [make_item(0).key, make_item(number).key])
            assert [one.offset for one in found if one] == [1, number + 1]
            assert len(await log.read(log.start(0))) == number + 1


async def test_a_password_is_asked_for_and_kept_from_other_eyes(tmp_path: Path, clock: HandClock) -> None:
    settings = ServerSettings(tmp_path / "a folder", free_port(), password="p@ss/word#1")
    command = settings.command()
    assert not any("p@ss" in part for part in command)
    assert os.stat(command[1]).st_mode & 0o077 == 0
    server = EmbeddedServer(settings).start()
    try:
        async with await EventLog.open(server.url, clock=clock) as log:
            assert await log.append(0, [make_item(1)]) == [(Outcome.ACCEPTED, 1)]
        with pytest.raises(LogUnavailable):
            await EventLog.open(f"redis://127.0.0.1:{settings.port}", clock=clock)
    finally:
        server.stop()
    with pytest.raises(ValueError, match="quote"):
        ServerSettings(tmp_path, 1, password='a"b').command()


def test_a_server_that_cannot_start_says_why(server: EmbeddedServer, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="in use"):
        EmbeddedServer(ServerSettings(tmp_path, server.settings.port)).start()
