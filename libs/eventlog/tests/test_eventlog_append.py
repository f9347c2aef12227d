"""Append once: what happens to each item, however the same keys meet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from eventlog import EpochMismatch, EventLog, Item, LayoutMismatch, Limits, LogError, Outcome, Position, Result
from eventlog.connection import LIBRARY, Connection
from eventlog.server import EmbeddedServer
from eventlog.testing import HandClock, make_item, next_name
from hypothesis import given, settings
from hypothesis import strategies as st

A, D, C = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICT


async def payloads(log: EventLog, shard: int = 0) -> list[bytes]:
    entries = await log.read(log.start(shard), max_records=1_000_000)
    return [payload for entry in entries for payload in entry.payloads]


async def test_each_item_gets_its_own_answer(log: EventLog) -> None:
    first = await log.append(0, [make_item(1), make_item(2)])
    second = await log.append(0, [make_item(3), make_item(1), make_item(2, "changed"), make_item(4)])
    assert first == [(A, 1), (A, 2)]
    assert second == [(A, 3), (D, 1), (C, 2), (A, 4)]
    assert await payloads(log) == [b"1", b"2", b"3", b"4"]


async def test_the_second_of_one_batch_is_judged_against_the_first(log: EventLog) -> None:
    batch = [make_item(1), make_item(1), make_item(1, "changed"), make_item(2)]
    assert await log.append(0, batch) == [(A, 1), (D, 1), (C, 1), (A, 2)]
    assert await payloads(log) == [b"1", b"2"]


async def test_full_batches_of_the_largest_size_fit(log: EventLog) -> None:
    batch = [make_item(number) for number in range(10_000)]
    assert await log.append(0, batch) == [(A, offset) for offset in range(1, 10_001)]
    assert await log.append(0, batch) == [(D, offset) for offset in range(1, 10_001)]
    assert await log.get(0, 7_777) == b"7776"
    assert await log.append(0, []) == []


async def test_an_ill_formed_item_fails_only_its_own_caller(log: EventLog) -> None:
    bad = make_item(5)._replace(key=b"short")
    batches = [[make_item(1)], [make_item(2)], [make_item(3), bad], [make_item(4)]]
    answers = await asyncio.gather(*(log.append(0, batch) for batch in batches), return_exceptions=True)
    assert isinstance(answers.pop(2), ValueError)
    assert sorted(result for answer in answers if isinstance(answer, list) for result in answer) == [
        (A, offset) for offset in (1, 2, 3)
    ]
    assert sorted(await payloads(log)) == [b"1", b"2", b"4"]


async def test_keys_are_found_with_digest_and_offset(log: EventLog) -> None:
    items = [make_item(number) for number in range(3)]
    await log.append(0, items)
    found = await log.find(0, [items[2].key, make_item(9).key, items[0].key])
    assert found == [(items[2].digest[:16], 3), None, (items[0].digest[:16], 1)]
    assert await log.find(0, []) == []


async def test_shards_are_apart_and_fixed_for_ever(server: EmbeddedServer, clock: HandClock) -> None:
    name = next_name()
    async with await EventLog.open(server.url, name=name, shards=3, clock=clock) as log:
        shards = [log.shard_of(f"lot-{number}") for number in range(100)]
        assert set(shards) == {0, 1, 2}
        assert shards[:6] == [2, 2, 0, 2, 0, 0]
        for shard in range(3):
            assert await log.append(shard, [make_item(1)]) == [(A, 1)]
        epoch = log.epoch
    with pytest.raises(LayoutMismatch, match="3 shards"):
        await EventLog.open(server.url, name=name, shards=2, clock=clock)
    async with await EventLog.open(server.url, name=name, shards=3, clock=clock) as log:
        assert log.epoch == epoch
        assert await log.append(2, [make_item(1)]) == [(D, 1)]


async def test_a_lost_shard_is_not_made_anew(server: EmbeddedServer, clock: HandClock) -> None:
    name = next_name()
    async with await EventLog.open(server.url, name=name, shards=2, clock=clock):
        pass
    raw = Connection(server.url, timeout_s=5, retry_after_s=1)
    await raw.call("DEL", f"{{{name}:1}}:gen")
    await raw.close()
    with pytest.raises(EpochMismatch, match="shard 1"):
        await EventLog.open(server.url, name=name, shards=2, clock=clock)


async def test_two_clients_racing_for_the_same_keys_write_each_once(server: EmbeddedServer, clock: HandClock) -> None:
    name = next_name()
    logs = [await EventLog.open(server.url, name=name, clock=clock) for _ in range(2)]
    batches = [[make_item(number) for number in range(start, start + 40)] for start in range(0, 200, 10)]
    answers: list[list[Result]] = await asyncio.gather(*(log.append(0, batch) for batch in batches for log in logs))
    offsets: dict[bytes, int] = {}
    accepted = 0
    for batch, answer in zip([batch for batch in batches for _ in logs], answers, strict=True):
        for item, (outcome, offset) in zip(batch, answer, strict=True):
            assert outcome in (A, D)
            assert offsets.setdefault(item.key, offset) == offset
            accepted += outcome == A
    assert accepted == len(offsets) == 230
    assert sorted(await payloads(logs[0])) == sorted({item.payload for batch in batches for item in batch})
    for log in logs:
        await log.close()


async def test_an_emptied_server_is_noticed_before_anything_is_written(
    own_server: EmbeddedServer, clock: HandClock
) -> None:
    raw = Connection(own_server.url, timeout_s=5, retry_after_s=1)
    log = await EventLog.open(own_server.url, clock=clock)
    await log.append(0, [make_item(1)])
    await raw.call("FLUSHALL")
    with pytest.raises(EpochMismatch):
        await log.append(0, [make_item(2)])
    with pytest.raises(EpochMismatch):
        await log.read(log.start(0))
    async with await EventLog.open(own_server.url, clock=clock) as other:
        assert other.epoch != log.epoch
        with pytest.raises(EpochMismatch):
            await log.append(0, [make_item(2)])
        with pytest.raises(EpochMismatch):
            await other.read(Position(log.epoch, 0, 1))
        assert await payloads(other) == []
    await raw.call("FUNCTION", "FLUSH")
    with pytest.raises(EpochMismatch, match="functions"):
        await log.append(0, [make_item(2)])
    await raw.close()
    await log.close()


@pytest.mark.parametrize(
    "broken_before", ["redis.call('HSET', keys[2], 'next'", "local index = keys[3] .. ':' .. generation\n"]
)
async def test_an_error_between_the_writes_leaves_no_key_without_record(
    own_server: EmbeddedServer, clock: HandClock, broken_before: str
) -> None:
    """A retry then writes the record again: readers see two records with one key and one digest, and count one."""
    raw = Connection(own_server.url, timeout_s=5, retry_after_s=1)
    assert LIBRARY.count(broken_before) == 1
    broken = LIBRARY.replace(broken_before, "error({ err = 'ERR injected' })\n" + broken_before)
    async with await EventLog.open(own_server.url, clock=clock) as log:
        await log.append(0, [make_item(0)])
        await raw.call("FUNCTION", "LOAD", "REPLACE", broken)
        items = [make_item(1), make_item(2), make_item(3)]
        with pytest.raises(LogError, match="injected"):
            await log.append(0, items)
        assert await log.find(0, [item.key for item in items]) == [None] * 3
        assert (await log.end(0)).offset == 4
        await raw.load_library()
        assert await log.append(0, items[:2]) == [(A, 5), (A, 6)]
        assert await payloads(log) == [b"0", b"1", b"2", b"3", b"1", b"2"]
        assert await log.append(0, items[:2]) == [(D, 5), (D, 6)]
    await raw.close()


ARGUMENTS = [b"1", b"1", bytes(16), bytes(16), bytes(4), bytes(4), b""]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, b"x"),
        (0, b"-1"),
        (0, b"1.5"),
        (1, b"0"),
        (2, b""),
        (2, bytes(15)),
        (2, bytes(16 * 10_001)),
        (3, bytes(15)),
        (4, b"\0\0\0\1"),
        (4, bytes(8)),
        (5, bytes(3)),
        (6, b"x"),
    ],
)
async def test_the_function_checks_every_argument_before_it_writes(
    server: EmbeddedServer, log: EventLog, place: int, value: bytes
) -> None:
    keys = [log._key(0, kind) for kind in ("log", "gen", "idx")]
    raw = Connection(server.url, timeout_s=5, retry_after_s=1)
    wrong = [*ARGUMENTS[:place], value, *ARGUMENTS[place + 1 :]]
    with pytest.raises(LogError, match="ARGUMENT"):
        await raw.call("FCALL", "parkmesh_log_1_append", 3, *keys, log.epoch, *wrong)
    with pytest.raises(LogError, match="ARGUMENT"):
        await raw.call("FCALL", "parkmesh_log_1_append", 3, *keys, log.epoch, *ARGUMENTS, "more")
    assert (await log.end(0)).offset == 0
    assert await raw.call("FCALL", "parkmesh_log_1_append", 3, *keys, log.epoch, *ARGUMENTS) == [1, b""]
    await raw.close()


steps = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["", "x"])), min_size=1, max_size=8),
        st.integers(-5, 30),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(steps)
async def test_any_history_of_appends_equals_a_dictionary(
    server: EmbeddedServer, history: Sequence[tuple[Sequence[tuple[int, str]], int]]
) -> None:
    """Over days, with a clock that also steps back; nothing is drained, so nothing is ever forgotten."""
    clock = HandClock()
    limits = Limits(generation_ms=24 * 3_600_000)
    known: dict[bytes, tuple[bytes, int]] = {}
    written: list[bytes] = []
    async with await EventLog.open(server.url, name=next_name(), clock=clock, limits=limits) as log:
        for batch, hours in history:
            clock.advance(hours=hours)
            items: list[Item] = [make_item(number, version) for number, version in batch]
            expected: list[tuple[Outcome, int]] = []
            for item in items:
                if item.key in known:
                    digest, offset = known[item.key]
                    expected.append((D if digest == item.digest else C, offset))
                else:
                    written.append(item.payload)
                    known[item.key] = (item.digest, len(written))
                    expected.append((A, len(written)))
            assert await log.append(0, items) == expected
            await log.trim(log.start(0))
        assert await payloads(log) == written
        times = [entry.accepted_ms for entry in await log.read(log.start(0))]
        assert times == sorted(times)
        found = await log.find(0, list(known))
        assert [(one.digest_prefix, one.offset) for one in found if one] == [
            (digest[:16], offset) for digest, offset in known.values()
        ]
