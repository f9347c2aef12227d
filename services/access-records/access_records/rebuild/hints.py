"""The indexes of plates and of visit ids made anew from the current rows: every row that must be there is."""

from dataclasses import dataclass
from typing import Final

from history.client import HistoryClient

from access_records.rebuild.current import Still
from access_records.rebuild.shadow import Comparison, Difference, Shadow


@dataclass(frozen=True, slots=True)
class Index:
    """One table of hints."""

    table: str
    """Its name within the store."""
    sought: str
    """The column by which records are looked up in it."""
    key: str
    """What it is ordered by."""


PLATES: Final = Index("record_plates", "plate_key", "plate_key, lot_id, event_time, record_id")
VISIT_IDS: Final = Index("record_visits", "visit_id", "lot_id, visit_id, event_time, record_id")


async def rebuild_index(owner: HistoryClient, index: Index, still: Still, *, check_only: bool) -> Comparison:
    """Makes an index anew, month by month, and puts a month that lacks a row in place unless it only checks.

    The history writer stands still for a month at a time.
    """
    shadow = Shadow(owner, index.table)
    await shadow.make()
    columns = await shadow.common("records_current")
    rows: int = 0
    differences: list[Difference] = []
    for month in sorted({*await shadow.partitions("records_current"), *await shadow.partitions()}):
        asked = {"month": month}
        async with still():
            await shadow.run("rebuilt_hints", asked, columns=columns, sought=index.sought)
            missing = False
            for lot_id, held, rebuilt, ids in await shadow.ask("missing_hints", asked, key=index.key):
                rows += rebuilt
                if held != rebuilt:
                    missing = True
                    differences.append(Difference(lot_id, int(month), held, rebuilt, tuple(ids)))
            if missing and not check_only:
                await shadow.replace(month)
    await shadow.drop()
    return Comparison(rows, differences)
