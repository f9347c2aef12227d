"""A copy of the files of a running server: what was acknowledged before is in it, whatever the server rewrites."""

import asyncio
import contextlib
from pathlib import Path

import pytest
import redis.asyncio
from eventlog import EventLog, copying
from eventlog.server import running
from eventlog.testing import HandClock, make_item


async def test_a_copy_made_while_files_are_rewritten_holds_what_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    with running(tmp_path / "live") as server:
        async with (
            await EventLog.open(server.url, clock=HandClock()) as log,
            redis.asyncio.Redis.from_url(server.url) as client,
        ):

            async def append() -> None:
                for number in range(100_000):
                    await log.append(0, [make_item(number, size=2_000)])
                    acknowledged.append(number)

            appending = asyncio.create_task(append())
            ends = []
            for number in range(6):
                if number % 2:
                    with contextlib.suppress(redis.exceptions.ResponseError):  # one is under way
                        await client.bgrewriteaof()
                await asyncio.sleep(0.02)
                ends.append(len(acknowledged))
                await asyncio.to_thread(copying.copy, tmp_path / "live", tmp_path / f"copy-{number}")
            appending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await appending
    assert ends == sorted(ends)
    assert ends[-1] > ends[0]
    for number in (0, 3, 5):
        with running(tmp_path / f"copy-{number}") as copy:
            async with await EventLog.open(copy.url, clock=HandClock()) as log:
                assert (await log.end(0)).offset >= ends[number]
                entries = await log.read(log.start(0), max_records=100_000)
                held = [payload.rstrip(b".") for entry in entries for payload in entry.payloads]
                assert held == [str(place).encode() for place in range(len(held))]


def test_where_there_is_no_log_there_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copying.copy(tmp_path / "nothing", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
