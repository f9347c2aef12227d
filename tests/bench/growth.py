"""What a history that is ten and a hundred times as long does to an insert, a lot's day and a vehicle's visits."""

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from access_records.visits.search import VISITS_OF_PLATE
from history.client import HistoryClient

from .repeat import Repeat
from .years import LOTS, Years, asked, enter, years

_RECORDS_OF_A_DAY: Final = 10_000
_INSERTED: Final = 10_000
_FIRST: Final = date(2020, 1, 1)
_LOT_DAY: Final = "SELECT * FROM lot_day WHERE lot_id = {lot:String} AND day = {day:Date}"
_PLATES: Final = (
    "SELECT lower(hex(plate_key)) FROM store.visits_by_plate GROUP BY plate_key HAVING count() BETWEEN 15 AND 25"
    " ORDER BY cityHash64(plate_key) LIMIT {limit:UInt32}"
)
_WHOLE: Final = {
    "colour": 0,
    "everywhere": True,
    "lots": "",
    "start": 0,
    "end": 4_102_444_800_000,
    "after_ms": -1,
    "after_lot": "",
    "after_id": "",
    "limit": 101,
}
"""All of a vehicle's visits, on the first page."""


async def growth(repeat: Repeat) -> None:
    """Fills three histories, in the first repeat: a hundredth, a tenth and all of the records. What is measured is
    measured of one after the other, again and again, so that whatever else the machine does slows all of them down.
    """
    if repeat.number:
        return
    figures, most = repeat.figures, repeat.extent.grown_records
    sizes = (most // 100, most // 10, most)
    async with AsyncExitStack() as stack:
        # Each length has a history of its own, in which every vehicle is seen as often as in the others.
        grown = [await stack.enter_async_context(years(_RECORDS_OF_A_DAY, records)) for records in sizes]
        for past, records in zip(grown, sizes, strict=True):
            await past.grow(records)
        for what, ask in (("lot_day", _lot_day), ("plate", _plate), ("insert", _insert)):
            took = await _in_turn([await ask(past, repeat.extent.questions) for past in grown])
            quarters = [
                enter(figures, f"growth.{what}.{records}", one) for records, one in zip(sizes, took, strict=True)
            ]
            for records, quarter in zip(sizes, quarters, strict=True):
                figures.add(f"growth.{what}.{records}.slower", "times", quarter / quarters[0])


Question = Callable[[], Awaitable[float]]
"""Asks once: how many milliseconds it took."""


async def _in_turn(questions: Sequence[Sequence[Question]]) -> list[list[float]]:
    """What each question of each history took: the first of all, the second of all …; the first is not counted."""
    took: list[list[float]] = [[] for _ in questions]
    for number, each in enumerate(zip(*questions, strict=True)):
        for one, ask in zip(took, each, strict=True):
            spent = await ask()
            if number:
                one.append(spent)
    return took


async def _lot_day(past: Years, times: int) -> list[Question]:
    chance = random.Random("growth")
    return [
        partial(
            _asked,
            past.analyst,
            _LOT_DAY,
            {
                "lot": f"lot_{chance.randrange(LOTS):04d}",
                "day": _FIRST + timedelta(days=chance.randrange(max(1, past.days - 1))),
            },
        )
        for _ in range(times + 1)
    ]


async def _plate(past: Years, times: int) -> list[Question]:
    plates = await past.reader.rows(_PLATES, {"limit": times + 1})
    return [partial(_asked, past.reader, VISITS_OF_PLATE, {"plate": key, **_WHOLE}) for (key,) in plates]


async def _insert(past: Years, times: int) -> list[Question]:
    return [partial(_inserted, past)] * (times + 1)


async def _asked(client: HistoryClient, text: str, parameters: dict[str, Any]) -> float:
    (took,) = await asked(client, text, [parameters], warm=False)
    return took


async def _inserted(past: Years) -> float:
    """How many milliseconds it takes until the next records are in both tables, on disk."""
    await past.make(_INSERTED)
    begun = time.perf_counter()
    await past.insert()
    return (time.perf_counter() - begun) * 1000
