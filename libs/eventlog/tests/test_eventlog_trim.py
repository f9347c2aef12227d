"""Trimming and forgetting: only what is drained and old enough, whole entries and whole generations."""

from __future__ import annotations

import pytest
from eventlog import EventLog, Limits, Outcome, Position
from eventlog.server import EmbeddedServer
from eventlog.testing import HandClock, make_item, next_name
from hypothesis import given, settings
from hypothesis import strategies as st

A, D = Outcome.ACCEPTED, Outcome.DUPLICATE


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 50)), min_size=1, max_size=10),
    st.integers(0, 50),
    st.integers(0, 70),
)
async def test_exactly_the_drained_entries_of_more_than_an_hour_go(
    server: EmbeddedServer, appends: list[tuple[int, int]], drained: int, later: int
) -> None:
    clock = HandClock()
    async with await EventLog.open(server.url, name=next_name(), clock=clock) as log:
        entries: list[tuple[int, int]] = []
        number = 0
        for size, minutes in appends:
            clock.advance(seconds=60 * minutes)
            await log.append(0, [make_item(number + i) for i in range(size)])
            number += size
            entries.append((number, clock.now))
        drained = min(drained, number)
        clock.advance(seconds=60 * later)
        edge = 0
        for last, accepted in entries:
            if last > drained or accepted > clock.now - 3_600_000:
                break
            edge = last
        trimmed = await log.trim(Position(log.epoch, 0, drained))
        assert trimmed.oldest == edge + 1 == await log.oldest(0)
        rest = await log.read(Position(log.epoch, 0, edge))
        assert sum(len(entry.payloads) for entry in rest) == number - edge
        assert await log.append(0, [make_item(number)]) == [(A, number + 1)]


async def test_keys_outlive_their_entries_until_drained_and_three_days_old(
    server: EmbeddedServer, clock: HandClock
) -> None:
    day = Limits(generation_ms=24 * 3_600_000)
    async with await EventLog.open(server.url, name=next_name(), clock=clock, limits=day) as log:
        await log.append(0, [make_item(1)])
        clock.advance(hours=23)
        await log.append(0, [make_item(2)])
        clock.advance(hours=71.9)
        await log.append(0, [make_item(3)])
        everything = await log.end(0)
        assert await log.trim(everything) == (2, 0, 3), "the newest of the first day is not three days old yet"
        assert await log.append(0, [make_item(1), make_item(2)]) == [(D, 1), (D, 2)]
        clock.advance(hours=0.2)
        assert await log.trim(Position(log.epoch, 0, 1)) == (0, 0, 3), "the second is not drained"
        assert await log.append(0, [make_item(1), make_item(2)]) == [(D, 1), (D, 2)]
        assert await log.trim(Position(log.epoch, 0, 2)) == (0, 1, 3)
        assert await log.find(0, [make_item(number).key for number in (1, 2)]) == [None, None]
        assert await log.append(0, [make_item(3), make_item(1)]) == [(D, 3), (A, 4)]


async def test_an_emptied_stream_goes_on_counting(log: EventLog, clock: HandClock) -> None:
    await log.append(0, [make_item(1), make_item(2)])
    clock.advance(hours=1)
    assert await log.trim(await log.end(0)) == (1, 0, 3)
    assert (await log.end(0)).offset == 2
    assert await log.append(0, [make_item(3)]) == [(A, 3)]


@pytest.mark.slow
async def test_a_long_log_is_trimmed_in_bounded_calls(log: EventLog, clock: HandClock) -> None:
    for start in range(0, 250_000, 5_000):
        await log.append(0, [make_item(number) for number in range(start, start + 5_000)])
    clock.advance(hours=1)
    assert await log.trim(Position(log.epoch, 0, 249_999)) == (49, 0, 245_001)
