"""Reading on from a position: no gap, no repeat, and loud about anything else."""

from __future__ import annotations

import asyncio
import struct
from zlib import crc32

import pytest
from eventlog import BeyondEnd, CorruptEntry, Entry, EpochMismatch, EventLog, LogError, Position, TrimmedBehind
from eventlog.connection import Connection
from eventlog.server import EmbeddedServer
from eventlog.testing import HandClock, make_item, next_name
from hypothesis import given, settings
from hypothesis import strategies as st


async def fill(log: EventLog, sizes: list[int]) -> None:
    number = 0
    for size in sizes:
        await log.append(0, [make_item(number + i) for i in range(size)])
        number += size


def numbers(entries: list[Entry]) -> list[int]:
    return [int(payload) for entry in entries for payload in entry.payloads]


async def test_every_position_is_continued_exactly(log: EventLog) -> None:
    await fill(log, [1, 3, 1, 5, 2])
    for offset in range(13):
        entries = await log.read(Position(log.epoch, 0, offset))
        assert numbers(entries) == list(range(offset, 12))
        assert [entry.first for entry in entries][:1] == ([offset + 1] if offset < 12 else [])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 20))
async def test_reading_in_steps_of_any_size_sees_each_record_once(
    server: EmbeddedServer, sizes: list[int], step: int
) -> None:
    async with await EventLog.open(server.url, name=next_name(), clock=HandClock()) as log:
        await fill(log, sizes)
        position, seen = log.start(0), []
        while entries := await log.read(position, max_records=step):
            assert sum(len(entry.payloads) for entry in entries) < step + max(sizes)
            seen += numbers(entries)
            position = entries[-1].position
        assert seen == list(range(sum(sizes)))
        assert position == await log.end(0)


async def test_a_waiting_reader_gets_what_is_appended(log: EventLog) -> None:
    await fill(log, [2])
    waiting = asyncio.create_task(log.read(await log.end(0), block_ms=5_000))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await log.append(0, [make_item(2), make_item(3)])
    entries = await waiting
    assert numbers(entries) == [2, 3]
    assert entries[0].accepted_ms == HandClock().now
    assert await log.read(entries[-1].position, block_ms=10) == []


async def test_a_position_beyond_the_end_stops_the_reader(log: EventLog) -> None:
    await fill(log, [2])
    assert await log.read(Position(log.epoch, 0, 2)) == []
    for block_ms in (0, 1_000):
        with pytest.raises(BeyondEnd):
            await log.read(Position(log.epoch, 0, 3), block_ms=block_ms)
    with pytest.raises(BeyondEnd):
        await log.trim(Position(log.epoch, 0, 3))


async def test_a_position_of_another_log_is_refused(log: EventLog) -> None:
    with pytest.raises(EpochMismatch):
        await log.read(Position("other", 0, 0))
    with pytest.raises(EpochMismatch):
        await log.trim(Position("other", 0, 0))


async def test_a_reader_behind_the_trimmed_edge_is_told_where_the_log_begins(log: EventLog, clock: HandClock) -> None:
    await fill(log, [2, 2])
    clock.advance(hours=2)
    await log.append(0, [make_item(100)])
    assert await log.trim(Position(log.epoch, 0, 5)) == (2, 0, 5)
    for offset in range(4):
        with pytest.raises(TrimmedBehind) as caught:
            await log.read(Position(log.epoch, 0, offset), block_ms=1_000)
        assert caught.value.oldest == 5
    assert numbers(await log.read(Position(log.epoch, 0, 4))) == [100]
    clock.advance(hours=2)
    assert await log.trim(Position(log.epoch, 0, 5)) == (1, 0, 6)
    with pytest.raises(TrimmedBehind):
        await log.read(Position(log.epoch, 0, 4), block_ms=1_000)
    assert await log.read(Position(log.epoch, 0, 5), block_ms=10) == []
    assert await log.get(0, 4) is None
    await log.append(0, [make_item(101)])
    assert numbers(await log.read(Position(log.epoch, 0, 5))) == [101]


async def test_a_record_can_be_read_alone(log: EventLog) -> None:
    await fill(log, [1, 3])
    assert [await log.get(0, offset) for offset in range(6)] == [None, b"0", b"1", b"2", b"3", None]
    assert await log.get_all(0, {7, 3, 0, 1, 4}) == {1: b"0", 3: b"2", 4: b"3"}


@pytest.mark.parametrize("read_alone", [False, True])
async def test_a_damaged_entry_is_detected(server: EmbeddedServer, log: EventLog, read_alone: bool) -> None:
    await fill(log, [1])
    payload = b"a record"
    lengths, crcs = struct.pack(">I", len(payload)), struct.pack(">I", crc32(payload))
    raw = Connection(server.url, timeout_s=5, retry_after_s=1)
    fields = ("t", "4102444800000", "l", lengths, "c", crcs, "b", payload, "s", "0123456789abcdef")
    await raw.call("XADD", log._key(0, "log"), "2-1", *fields)
    await raw.close()
    with pytest.raises(CorruptEntry, match="2-1"):
        await (log.get(0, 2) if read_alone else log.read(log.start(0)))


async def test_a_missing_entry_is_detected(server: EmbeddedServer, log: EventLog) -> None:
    await fill(log, [1, 2, 1])
    raw = Connection(server.url, timeout_s=5, retry_after_s=1)
    await raw.call("XDEL", log._key(0, "log"), "2-2")
    for offset in range(3):
        with pytest.raises(CorruptEntry, match="missing"):
            await log.read(Position(log.epoch, 0, offset))
    await raw.call("XDEL", log._key(0, "log"), "4-1")
    with pytest.raises(LogError):
        await log.read(Position(log.epoch, 0, 1))
    await raw.close()
