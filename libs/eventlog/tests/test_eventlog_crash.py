"""The server dies at the worst moments: what was acknowledged is there exactly once, and nothing else is half there."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest
import redis
from eventlog import EventLog, Item, LogUnavailable, Outcome, Result, layout
from eventlog.connection import Connection
from eventlog.server import EmbeddedServer, ServerSettings, free_port, running
from eventlog.testing import START_MS, HandClock, make_item

STREAM, STATE, INDEX = (f"{{a:0}}:{kind}" for kind in ("log", "gen", "idx"))


@dataclass(frozen=True)
class Workload:
    """A log's files after a few appends, and how large the last file was at each acknowledgement."""

    folder: Path
    last_file: str
    epoch: str
    acknowledged: list[tuple[int, int]]
    """Size of the last file, records acknowledged by then."""


async def small_workload(folder: Path) -> Workload:
    with running(folder) as server:
        raw = Connection(server.url, timeout_s=5, retry_after_s=1)
        async with await EventLog.open(server.url, name="a", clock=HandClock()) as log:
            await raw.call("BGREWRITEAOF")  # So that the last file holds the appends and nothing else.
            done = b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0"
            while done not in await raw.call("INFO", "persistence"):  # noqa: ASYNC110  the server sends no event
                await asyncio.sleep(0.005)
            last = max((folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)
            assert last.stat().st_size == 0
            acknowledged = [(0, 0)]
            for batch in ([1], [1, 2, 3]):
                await log.append(0, [make_item(number) for number in batch])
                acknowledged.append((last.stat().st_size, batch[-1]))
        await raw.close()
    return Workload(folder / "appendonlydir", last.name, log.epoch, acknowledged)


def check_cut(workload: Workload, folder: Path, cut: int, ports: SimpleQueue[int]) -> None:
    """Start a server on the files with the last one cut short; what it then holds must be whole."""
    shutil.copytree(workload.folder, folder / "appendonlydir")
    with (folder / "appendonlydir" / workload.last_file).open("r+b") as file:
        file.truncate(cut)
    port = ports.get()
    server = EmbeddedServer(ServerSettings(folder, port, maxmemory_bytes=64 << 20))
    try:
        server.start()
        with redis.Redis.from_url(server.url, protocol=2) as client:
            expected = max(count for size, count in workload.acknowledged if size <= cut)
            entries = [
                layout.unpack(workload.epoch, 0, entry_id, list(itertools.chain.from_iterable(fields.items())))
                for entry_id, fields in client.xrange(STREAM)
            ]
            payloads = [payload for entry in entries for payload in entry.payloads]
            assert payloads == [b"1", b"2", b"3"][:expected]
            starts = itertools.accumulate((len(entry.payloads) for entry in entries), initial=1)
            assert [entry.first for entry in entries] == list(starts)[:-1]
            keys = {name: client.hgetall(name) for name in client.keys(f"{INDEX}:*")}
            found = {key: layout.found(value) for index in keys.values() for key, value in index.items()}
            known = [make_item(number) for number in range(1, expected + 1)]
            assert found == {item.key: (item.digest[:16], offset) for offset, item in enumerate(known, 1)}
            assert int(client.hget(STATE, "next")) == expected + 1
            items = [make_item(number) for number in (1, 2, 3, 4)]
            answer = client.fcall(
                "parkmesh_log_1_append", 3, STREAM, STATE, INDEX, workload.epoch, START_MS, 1000, *layout.pack(items)
            )
            assert layout.results(4, *answer) == [
                (Outcome.DUPLICATE if number <= expected else Outcome.ACCEPTED, number) for number in (1, 2, 3, 4)
            ]
    finally:
        server.kill()
        ports.put(port)
    shutil.rmtree(folder)


@pytest.mark.slow
async def test_cut_at_every_byte_the_log_is_whole(tmp_path: Path) -> None:
    workload = await small_workload(tmp_path / "whole")
    size = workload.acknowledged[-1][0]
    assert 500 < size < 1000
    ports: SimpleQueue[int] = SimpleQueue()
    for port in {free_port() for _ in range(4)}:  # The few that are used again and again cannot meet each other.
        ports.put(port)
    with ThreadPoolExecutor(4) as pool:
        cuts = [pool.submit(check_cut, workload, tmp_path / f"cut{cut}", cut, ports) for cut in range(size + 1)]
        for done in cuts:
            done.result()


@pytest.mark.slow
async def test_killed_under_load_every_acknowledged_record_is_there_exactly_once(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        clock = HandClock()
        numbers = itertools.count()
        acknowledged: dict[int, int] = {}
        unanswered: list[list[Item]] = []

        async def upload(log: EventLog, size: int, enough: asyncio.Event, goal: int) -> None:
            while True:
                batch = [next(numbers) for _ in range(size)]
                items = [make_item(number, size=100) for number in batch]
                try:
                    results = await log.append(0, items)
                except LogUnavailable:
                    unanswered.append(items)
                    return
                for number, result in zip(batch, results, strict=True):
                    assert result.outcome is Outcome.ACCEPTED
                    acknowledged[number] = result.offset
                if len(acknowledged) >= goal:
                    enough.set()

        for _ in range(3):
            logs = [await EventLog.open(server.url, clock=clock) for _ in range(2)]
            enough, goal = asyncio.Event(), len(acknowledged) + 3_000
            uploads = [
                asyncio.create_task(upload(log, size, enough, goal)) for log in logs for size in (1, 1, 1, 7, 50, 200)
            ]
            await enough.wait()
            server.kill()
            await asyncio.gather(*uploads)
            for log in logs:
                await log.close()
            server.start()
            await check_ledger(server, acknowledged, unanswered)


async def check_ledger(server: EmbeddedServer, acknowledged: dict[int, int], unanswered: list[list[Item]]) -> None:
    async with await EventLog.open(server.url, clock=HandClock()) as log:
        places = await all_places(log)
        assert all(places[make_item(number, size=100).payload] == [at] for number, at in acknowledged.items())
        sent = {make_item(number, size=100).payload for number in acknowledged}
        sent |= {item.payload for items in unanswered for item in items}
        assert set(places) <= sent, "nothing is there that was not sent"
        assert all(len(offsets) == 1 for offsets in places.values())
        for items in unanswered:
            results: list[Result] = await log.append(0, items)
            for item, result in zip(items, results, strict=True):
                assert (result.outcome is Outcome.DUPLICATE) == (item.payload in places)
                acknowledged[int(item.payload.rstrip(b"."))] = result.offset
        unanswered.clear()
        assert all(len(offsets) == 1 for offsets in (await all_places(log)).values())


async def all_places(log: EventLog) -> dict[bytes, list[int]]:
    places: dict[bytes, list[int]] = {}
    position = log.start(0)
    while entries := await log.read(position):
        for entry in entries:
            for offset, payload in enumerate(entry.payloads, entry.first):
                places.setdefault(payload, []).append(offset)
        position = entries[-1].position
    return places
