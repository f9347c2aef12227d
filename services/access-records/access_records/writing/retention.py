"""For how long the history keeps what it holds, counted from the acceptance: the settings, made the tables' TTL.

Kept for ever: the closed days, which are signed evidence and name no vehicle, and the registry's facts.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from history.client import HistoryClient

_log = logging.getLogger(__name__)

_MARKED_DAYS: Final = 31
"""For how much longer the mark stays that a record is gone: no part with the record itself may outlive it."""
_MOST_DAYS: Final = 36_500
_TTL: Final = re.compile(r" TTL (.+?) SETTINGS ")


@dataclass(frozen=True)
class Retention:
    """Days from the acceptance; 0 keeps for ever.

    A record goes with its current row, both counted from the acceptance of its first report. A revision is counted from
    its own acceptance: it stays until later, and changes nothing then. A visit goes with the last of its records.
    """

    records: int = 1096
    """Of records, their revisions, what is looked up by plate or visit, visits, and what comparing the books found."""
    rejections: int = 366
    """Of what was refused."""
    look_ups: int = 1096
    """Of look-ups of plates (R7.4), and of who exported what or had projections made anew."""

    def __post_init__(self) -> None:
        if not all(0 <= days <= _MOST_DAYS for days in (self.records, self.rejections, self.look_ups)):
            raise ValueError(f"days of retention are 0 to {_MOST_DAYS}")

    def ttls(self) -> Mapping[str, str]:
        """The TTL of each table as ClickHouse itself lays it out; empty for a table that keeps for ever."""
        records = _days("accept_time", str(self.records))
        current = _days("accept_time", f"if(gone = 1, {self.records + _MARKED_DAYS}, {self.records})")
        paired = current.replace("accept_time", "made_time")
        compared = _days("note_time", str(self.records))
        looked_up = _days("note_time", str(self.look_ups))
        # What was done about a request outlives it: a request without them would be carried out again.
        done = _days("note_time", str(self.look_ups + _MARKED_DAYS))
        return {
            "store.record_revisions": records if self.records else "",
            "store.records_current": current if self.records else "",
            "store.record_plates": records if self.records else "",
            "store.record_visits": records if self.records else "",
            "store.rejections": _days("note_time", str(self.rejections)) if self.rejections else "",
            "store.visits": paired if self.records else "",
            "store.visits_by_plate": paired if self.records else "",
            "store.comparisons": compared if self.records else "",
            "store.differences": compared if self.records else "",
            "store.look_ups": looked_up if self.look_ups else "",
            "store.export_requests": looked_up if self.look_ups else "",
            "store.export_decisions": done if self.look_ups else "",
            "store.export_events": done if self.look_ups else "",
            "store.rebuild_requests": looked_up if self.look_ups else "",
            "store.rebuilds": done if self.look_ups else "",
        }


async def apply(client: HistoryClient, retention: Retention) -> tuple[str, ...]:
    """Gives each table its TTL where it has another; answers which tables were changed. Raises HistoryUnavailable.

    A change costs ClickHouse a look at every part of the table; rows go with the merges that follow.
    """
    rows = await client.rows(
        "SELECT concat(database, '.', name), engine_full FROM system.tables WHERE database = 'store'"
    )
    present = {table: match[1] if (match := _TTL.search(f"{engine} SETTINGS ")) else "" for table, engine in rows}
    changed = {table: ttl for table, ttl in retention.ttls().items() if present[table] != ttl}
    for table, ttl in changed.items():
        await client.execute(f"ALTER TABLE {table} MODIFY TTL {ttl}" if ttl else f"ALTER TABLE {table} REMOVE TTL")
        _log.info("retention of %s is now %s", table, ttl or "for ever")
    return tuple(changed)


def _days(column: str, days: str) -> str:
    return f"{column} + toIntervalDay({days})"
