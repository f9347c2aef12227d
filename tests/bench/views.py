"""What each published view costs an analyst when ten million records are there, by a question that is usual for it."""

import random
from datetime import date, timedelta
from typing import Any, Final

from access_records.queries import query, worked

from .repeat import Repeat
from .years import LOTS, Years, asked, enter, years

_RECORDS_OF_A_DAY: Final = 25_000
_FIRST: Final = date(2020, 1, 1)

_OF_LOT: Final = "lot_id = {lot:String} AND day = {day:Date}"
_OF_DAY: Final = "day = {day:Date}"
_OF_MONTH: Final = "day >= {day:Date} AND day < {day:Date} + 30"
QUESTIONS: Final = {
    "records.lot_day": "SELECT * FROM records WHERE lot_id = {lot:String} AND toDate(event_time) = {day:Date}",
    "records.city_day": "SELECT vehicle_class, count() FROM records WHERE toDate(event_time) = {day:Date} GROUP BY 1",
    "records_audit.record": "SELECT * FROM records_audit WHERE lot_id = {lot:String} AND record_id = {record:String}",
    "records_audit.lot_day": "SELECT * FROM records_audit WHERE lot_id = {lot:String}"
    " AND toDate(accept_time) = {day:Date}",
    "records_audit.revisions_of_month": "SELECT reason, count() FROM records_audit WHERE revision > 0"
    " AND toDate(accept_time) >= {day:Date} AND toDate(accept_time) < {day:Date} + 30 GROUP BY reason",
    "visits.lot_day": "SELECT * FROM visits WHERE lot_id = {lot:String} AND toDate(anchor_time) = {day:Date}",
    "visits.city_month": "SELECT lot_id, avg(dwell_seconds) FROM visits"
    " WHERE toDate(anchor_time) >= {day:Date} AND toDate(anchor_time) < {day:Date} + 30 GROUP BY lot_id",
    "rejections.month": "SELECT vendor_id, reason, count() FROM rejections"
    " WHERE toDate(note_time) >= {day:Date} AND toDate(note_time) < {day:Date} + 30 GROUP BY ALL",
    "lot_hour.lot_day": f"SELECT * FROM lot_hour WHERE {_OF_LOT}",
    "lot_hour.city_month": f"SELECT hour, sum(entries) FROM lot_hour WHERE {_OF_MONTH} GROUP BY hour",
    "lot_day.lot_day": f"SELECT * FROM lot_day WHERE {_OF_LOT}",
    "lot_day.city_day": f"SELECT * FROM lot_day WHERE {_OF_DAY}",
    "lot_day.city_month": f"SELECT lot_id, sum(entries) FROM lot_day WHERE {_OF_MONTH} GROUP BY lot_id",
    "operator_day.month": f"SELECT * FROM operator_day WHERE {_OF_MONTH}",
    "vendor_day.month": f"SELECT * FROM vendor_day WHERE {_OF_MONTH}",
    "lot_latest.all": "SELECT * FROM lot_latest",
    "lots.all": "SELECT * FROM lots",
    "operators.all": "SELECT * FROM operators",
    "gates.all": "SELECT * FROM gates",
    "calendar.all": "SELECT * FROM calendar",
}


async def views(repeat: Repeat) -> None:
    """Fills a history once, in the first repeat, and asks every question several times over days drawn at random."""
    if repeat.number:
        return
    figures, records = repeat.figures, repeat.extent.past_records
    async with years(_RECORDS_OF_A_DAY, records) as past:
        await past.grow(records)
        chance = random.Random("views")
        every = [_drawn(past, chance) for _ in range(repeat.extent.questions)]
        for name, text in QUESTIONS.items():
            enter(figures, f"views.{name}", await asked(past.analyst, text, every))
        spans = [{"from": one["day"], "to": one["day"] + timedelta(days=30)} for one in every[:3]]
        for name in worked():
            enter(figures, f"views.worked.{name.partition('/')[2]}", await asked(past.analyst, query(name), spans))


def _drawn(past: Years, chance: random.Random) -> dict[str, Any]:
    row = chance.randrange(past.records)
    return {
        "lot": f"lot_{row // 2 % LOTS:04d}",
        "record": f"rec-{row:012d}",
        "day": _FIRST + timedelta(days=chance.randrange(max(1, past.days - 30))),
    }
