"""What a history that is ten and a hundred times as long does to an insert, a lot's day and a vehicle's visits."""

import random
import time
from datetime import date, timedelta
from typing import Any, Final

from access_records.visits.search import VISITS_OF_PLATE

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
    """Fills a history once, in the first repeat, and measures at a hundredth, a tenth and all of it."""
    if repeat.number:
        return
    figures, most = repeat.figures, repeat.extent.grown_records
    first: dict[str, float] = {}
    for records in (most // 100, most // 10, most):
        # Each length has a history of its own, in which every vehicle is seen as often as in the others.
        async with years(_RECORDS_OF_A_DAY, records) as past:
            await past.grow(records)
            for what, took in (await _measured(past, repeat.extent.questions)).items():
                quarter = enter(figures, f"growth.{what}.{records}", took)
                figures.add(f"growth.{what}.{records}.slower", "times", quarter / first.setdefault(what, quarter))


async def _measured(past: Years, times: int) -> dict[str, list[float]]:
    chance = random.Random("growth")
    days: list[dict[str, Any]] = [
        {
            "lot": f"lot_{chance.randrange(LOTS):04d}",
            "day": _FIRST + timedelta(days=chance.randrange(max(1, past.days - 1))),
        }
        for _ in range(times)
    ]
    plates = [{"plate": key, **_WHOLE} for (key,) in await past.reader.rows(_PLATES, {"limit": times})]
    return {
        "lot_day": await asked(past.analyst, _LOT_DAY, days),
        "plate": await asked(past.reader, VISITS_OF_PLATE, plates),
        "insert": [await _inserted(past) for _ in range(times)],
    }


async def _inserted(past: Years) -> float:
    """How many milliseconds it takes until the next records are in both tables, on disk."""
    await past.make(_INSERTED)
    begun = time.perf_counter()
    await past.insert()
    return (time.perf_counter() - begun) * 1000
