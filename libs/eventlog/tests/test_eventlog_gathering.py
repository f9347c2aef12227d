"""Appends that wait travel together, in order, and each caller gets his own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from eventlog import Item, Outcome, Result
from eventlog.gathering import Gathering
from eventlog.testing import make_item


class Wire:
    """Answers when told to; every item is accepted at its own number."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def send(self, items: Sequence[Item]) -> list[Result]:
        self.calls.append([int(item.payload) for item in items])
        await self.gate.wait()
        if self.error:
            raise self.error
        return [Result(Outcome.ACCEPTED, int(item.payload)) for item in items]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_waits_travels_together_and_in_order() -> None:
    wire = Wire()
    gathering = Gathering(wire.send, max_items=4)
    callers = [
        asyncio.create_task(gathering.submit([make_item(n) for n in numbers]))
        for numbers in ([1], [2, 3], [4], [5, 6], [7, 8, 9, 10, 11], [12])
    ]
    await settle()
    assert wire.calls == [[1]]
    wire.gate.set()
    answers = await asyncio.gather(*callers)
    assert wire.calls == [[1], [2, 3, 4], [5, 6], [7, 8, 9, 10, 11], [12]]
    assert [[result.offset for result in answer] for answer in answers] == [
        [1],
        [2, 3],
        [4],
        [5, 6],
        [7, 8, 9, 10, 11],
        [12],
    ]


async def test_a_call_is_bounded_in_bytes() -> None:
    wire = Wire()
    gathering = Gathering(wire.send, max_bytes=100)
    wire.gate.set()
    await asyncio.gather(*(gathering.submit([make_item(n)._replace(payload=b"%080d" % n)]) for n in range(3)))
    assert wire.calls == [[0], [1], [2]]


async def test_an_error_reaches_every_caller_of_the_call_and_only_those() -> None:
    wire = Wire()
    gathering = Gathering(wire.send)
    callers = [asyncio.create_task(gathering.submit([make_item(n)])) for n in range(3)]
    await settle()
    wire.error = RuntimeError("lost")
    wire.gate.set()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["lost"] * 3
    wire.error = None
    assert await gathering.submit([make_item(7)]) == [(Outcome.ACCEPTED, 7)]


async def test_a_caller_who_gives_up_disturbs_nobody() -> None:
    wire = Wire()
    gathering = Gathering(wire.send)
    flying, waiting, staying = (asyncio.create_task(gathering.submit([make_item(n)])) for n in range(3))
    await settle()
    flying.cancel()
    waiting.cancel()
    await settle()
    wire.gate.set()
    assert await staying == [(Outcome.ACCEPTED, 2)]
    assert wire.calls == [[0], [2]], "what was not sent yet is not sent any more"
    with pytest.raises(asyncio.CancelledError):
        await flying
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await gathering.close()
