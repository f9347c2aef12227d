"""Questions that wait are asked together, and each caller gets its own answer or error."""

import asyncio
from collections.abc import Collection

import pytest
from access_records.together import Together


class Asked:
    """A look-up that answers when it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[set[int]] = []
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, keys: Collection[int]) -> dict[int, int]:
        self.calls.append(set(keys))
        await self.go.acquire()
        if self.error:
            raise self.error
        return {key: key * key for key in keys}


async def test_what_waits_is_asked_together() -> None:
    asked = Asked()
    together = Together(asked, most=5)
    callers = [asyncio.create_task(together.look_up(keys)) for keys in ([1, 2], [3], [4, 3], [5, 6, 7])]
    for _ in range(3):
        await asyncio.sleep(0)
        asked.go.release()
    answers = await asyncio.gather(*callers)
    assert asked.calls == [{1, 2}, {3, 4}, {5, 6, 7}] or asked.calls == [{1, 2, 3, 4}, {5, 6, 7}]
    for keys, answer in zip(([1, 2], [3], [4, 3], [5, 6, 7]), answers, strict=True):
        assert {key: answer[key] for key in keys} == {key: key * key for key in keys}


async def test_an_error_reaches_all_who_waited_and_none_after_them() -> None:
    asked = Asked()
    together = Together(asked, most=10)
    asked.error = ValueError("away")
    asked.go.release()
    with pytest.raises(ValueError, match="away"):
        await together.look_up([1])
    asked.error = None
    asked.go.release()
    assert await together.look_up([2]) == {2: 4}


async def test_a_caller_who_gives_up_does_not_take_the_others_answer() -> None:
    asked = Asked()
    together = Together(asked, most=10)
    first, second = (asyncio.create_task(together.look_up([key])) for key in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    asked.go.release()
    asked.go.release()
    assert (await second)[2] == 4


async def test_nothing_is_asked_for_callers_who_gave_up_while_they_waited() -> None:
    asked = Asked()
    together = Together(asked, most=1)
    first, left, last = (asyncio.create_task(together.look_up([key])) for key in (1, 2, 3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    left.cancel()
    for _ in range(3):
        asked.go.release()
    assert (await first, await last) == ({1: 1}, {3: 9})
    assert asked.calls == [{1}, {3}]


async def test_who_waits_does_not_wait_for_one_failure_after_the_other() -> None:
    asked = Asked()
    asked.error = ValueError("away")
    together = Together(asked, most=1)
    callers = [asyncio.create_task(together.look_up([key])) for key in range(3)]
    await asyncio.sleep(0)
    for _ in range(3):
        asked.go.release()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(answer, ValueError) for answer in answers)
    assert asked.calls == [{0}]
