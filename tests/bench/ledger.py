"""The books: what was acknowledged must be what the history counts, record by record, or the run is void."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol

_TABLES = ("store.records_current", "store.record_revisions")


class Void(Exception):  # noqa: N818  # it says what the run is
    """The books of a run do not balance: its figures mean nothing."""


class Reader(Protocol):
    """What asks the history."""

    def rows(self, sql: str, parameters: dict[str, Any], /) -> Awaitable[list[Any]]:
        """All rows of a query."""


@dataclass(frozen=True)
class Entry:
    """What one run says it did."""

    prefix: str
    """What the ids of its records begin with."""
    sent: int
    accepted: int
    """Records answered with ACCEPTED."""
    other: int
    """Records answered otherwise, or with a warning."""


async def check(reader: Reader, entry: Entry) -> None:
    """Returns when all that was sent was accepted and both tables hold each of them once. Void otherwise."""
    if entry.accepted != entry.sent or entry.other:
        raise Void(f"{entry.prefix}: of {entry.sent} records {entry.accepted} were accepted, {entry.other} otherwise")
    for table in _TABLES:
        ((rows, ids, digests),) = await reader.rows(
            f"SELECT count(), uniqExact(lot_id, record_id), uniqExact(digest) FROM {table} FINAL"
            " WHERE startsWith(record_id, {prefix:String})",
            {"prefix": f"{entry.prefix}-"},
        )
        if not rows == ids == digests == entry.accepted:
            raise Void(
                f"{entry.prefix}: {entry.accepted} were accepted, and {table} counts {rows} rows, "
                f"{ids} ids and {digests} digests"
            )
