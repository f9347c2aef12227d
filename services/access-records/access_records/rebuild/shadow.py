"""A table beside one of the history's: made anew, compared by partitions, put in its place where it differs."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from history.client import HistoryClient, Row

from access_records.queries import query

DEADLINE_S: Final = 6 * 3600.0
"""A partition of a large city is gone through in minutes; whoever waits for longer waits in vain."""
_STORE: Final = "store"
# A partition's rows may be more than the account may hold at once: then they are sorted on the disk.
_LARGE: Final = {"max_bytes_before_external_group_by": 1 << 30, "max_partitions_per_insert_block": 0}


class Difference(NamedTuple):
    """A lot and month of which one table holds other rows than the other."""

    lot_id: str
    month: int
    """YYYYMM."""
    held: int
    """Rows that are there."""
    rebuilt: int
    """Rows that must be there."""
    record_ids: tuple[str, ...]
    """Some of the records."""


class Comparison(NamedTuple):
    """What came of comparing."""

    rows: int
    """That must be there."""
    differences: list[Difference]


def together(comparisons: Iterable[Comparison]) -> Comparison:
    """What came of several tables of one projection: each lot and month of which one differs, once."""
    rows: int = 0
    found: dict[tuple[str, int], Difference] = {}
    for comparison in comparisons:
        rows += comparison.rows
        for one in comparison.differences:
            before = found.get((one.lot_id, one.month), Difference(one.lot_id, one.month, 0, 0, ()))
            ids = tuple(dict.fromkeys(before.record_ids + one.record_ids))
            found[one.lot_id, one.month] = before._replace(
                held=before.held + one.held, rebuilt=before.rebuilt + one.rebuilt, record_ids=ids
            )
    return Comparison(rows, list(found.values()))


class Shadow:
    """The shadow of one table of the store; the account must own it. Calls raise what HistoryClient's raise."""

    def __init__(self, owner: HistoryClient, table: str) -> None:
        """`table` is the name within the store."""
        self._owner = owner
        self._table = table
        self.live = f"{_STORE}.{table}"
        self.shadow = f"rebuilt_{table}"
        """The name within the store."""
        self.name = f"{_STORE}.{self.shadow}"
        """Qualified, as `live` is."""

    async def make(self) -> None:
        """Makes it, empty; one that a crash has left is dropped."""
        await self.drop()
        await self._owner.execute(f"CREATE TABLE {self.name} AS {self.live}")

    async def drop(self) -> None:
        """Drops it; nothing when there is none."""
        await self._owner.execute(f"DROP TABLE IF EXISTS {self.name} SYNC", settings={"max_table_size_to_drop": 0})

    async def partitions(self, table: str = "") -> list[str]:
        """The partitions in which the table, or another of the store, has rows: YYYYMM, or YYYY when it is by years."""
        return [one for (one,) in await self._owner.rows(query("partitions_of"), {"table": table or self._table})]

    async def common(self, table: str) -> str:
        """The columns that the table shares with another of the store, separated by commas."""
        others = await self.columns(table)
        return ", ".join(column for column in await self.columns() if column in others)

    async def compared(self, time: str, without: Collection[str] = ()) -> Comparison:
        """Whether the table holds, read with FINAL, the very rows of its shadow, leaving some columns out; `time` is
        the column that says in which month a row is.
        """
        expression = _hash({name: kind for name, kind in (await self.columns()).items() if name not in without})
        rows: int = 0
        differences: list[Difference] = []
        texts = {"hashed": expression, "time": time}
        for partition in sorted({*await self.partitions(), *await self.partitions(self.shadow)}):
            asked = {"partition": partition}
            found = await self.ask("different_lots", asked, **texts)
            rows += sum(rebuilt for _, _, _, rebuilt, _ in found)
            differing = [(lot_id, month, held, rebuilt) for lot_id, month, held, rebuilt, differs in found if differs]
            if not differing:
                continue
            lots = " ".join({lot_id for lot_id, _, _, _ in differing})
            some = await self.ask("different_records", {**asked, "lots": lots}, **texts)
            records = {(lot_id, month): tuple(ids) for lot_id, month, ids in some}
            differences += [Difference(*one, records.get(one[:2], ())) for one in differing]
        return Comparison(rows, differences)

    async def run(self, name: str, parameters: Mapping[str, Any], **texts: str) -> None:
        """A statement of `queries` that answers nothing; `texts` replace what stands in braces without a type."""
        await self._owner.execute(self._text(name, texts), parameters, settings=_LARGE, deadline=DEADLINE_S)

    async def ask(self, name: str, parameters: Mapping[str, Any], **texts: str) -> list[Row]:
        """The rows of a query."""
        return await self._owner.rows(self._text(name, texts), parameters, settings=_LARGE, deadline=DEADLINE_S)

    async def columns(self, table: str = "") -> dict[str, str]:
        """The columns that the table, or another of the store, keeps, with their types."""
        rows = await self._owner.rows(
            "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}"
            " AND default_kind NOT IN ('EPHEMERAL', 'ALIAS') ORDER BY position",
            {"database": _STORE, "table": table or self._table},
        )
        return dict(rows)

    async def replace(self, partition: str) -> None:
        """Puts a partition of the shadow in the place of the table's, at once."""
        await self._owner.execute(
            f"ALTER TABLE {self.live} REPLACE PARTITION ID '{int(partition)}' FROM {self.name}",
            # A partition that should have no rows loses those that it has, however large it is.
            settings={"allow_replace_partition_from_empty_source": 1, "max_partition_size_to_drop": 0},
            deadline=DEADLINE_S,
        )

    def _text(self, name: str, texts: Mapping[str, str]) -> str:
        text = query(name)
        for key, value in {"live": self.live, "shadow": self.name, **texts}.items():
            text = text.replace(f"{{{key}}}", value)
        return text


def _hash(columns: Mapping[str, str]) -> str:
    """The expression of a row's hash over these columns, a missing value being another one than any that is there."""
    parts = (
        f"ifNull(toString({name}), '\\0')" if kind.startswith("Nullable(") else name for name, kind in columns.items()
    )
    return f"cityHash64({', '.join(parts)})"
