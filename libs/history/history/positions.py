"""How far each projection has read each shard of the log, kept in ClickHouse beside the rows it made."""

from collections.abc import Mapping

from history.client import HistoryClient
from history.durability import DURABLE_CLAUSE, verify_durable
from history.errors import HistoryError


class PositionConflict(HistoryError):  # noqa: N818  # named for what the operator must resolve
    """A position would go back, or the stored one belongs to another log: state and log do not belong together."""


def positions_ddl(table: str) -> str:
    """The CREATE statement of a positions table, for a migration.

    The offset is its own version: of two rows for a shard the further one stays, whatever order they came in.
    """
    return (
        f"CREATE TABLE IF NOT EXISTS {table} "
        "(`projection` LowCardinality(String), shard UInt16, epoch String, offset UInt64) "
        f"ENGINE = ReplacingMergeTree(offset) ORDER BY (projection, shard) {DURABLE_CLAUSE}"
    )


class Positions:
    """The positions of one projection. One process at a time advances them: the projection's own writer."""

    def __init__(self, client: HistoryClient, projection: str, table: str = "store.positions") -> None:
        self._client = client
        self._projection = projection
        self._table = table
        self._verified = False
        self._stored: tuple[str, dict[int, int]] | None = None

    async def read(self, epoch: str) -> dict[int, int]:
        """The offset per shard; one never advanced is absent. Another epoch in the table raises `PositionConflict`."""
        rows = await self._client.rows(
            f"SELECT shard, epoch, offset FROM {self._table} FINAL WHERE projection = {{projection:String}}",  # noqa: S608
            {"projection": self._projection},
        )
        for shard, found, _ in rows:
            if found != epoch:
                raise PositionConflict(
                    f"{self._projection}, shard {shard}: the position counts in log {found}, but the log is {epoch}"
                )
        offsets = {shard: offset for shard, _, offset in rows}
        self._stored = epoch, dict(offsets)
        return offsets

    async def advance(self, epoch: str, offsets: Mapping[int, int]) -> None:
        """Record new offsets, all shards at once, fsynced on return. Equal ones are allowed, so a retry is harmless.

        Raises `PositionConflict` if one lies before what is stored or the stored epoch differs, and `NotDurable` if the
        table would not keep it; then nothing has changed.
        """
        if not self._verified:
            await verify_durable(self._client, [self._table])
            self._verified = True
        # One process advances them, so what it has read and written is what is stored.
        if self._stored is None or self._stored[0] != epoch:
            await self.read(epoch)
        assert self._stored is not None
        stored = self._stored[1]
        for shard, offset in sorted(offsets.items()):
            if offset < stored.get(shard, 0):
                raise PositionConflict(f"{self._projection}, shard {shard}: {offset} lies before {stored[shard]}")
        rows = [(shard, offset) for shard, offset in sorted(offsets.items()) if stored.get(shard) != offset]
        if not rows:
            return
        await self._client.execute(
            f"INSERT INTO {self._table} (projection, shard, epoch, offset) "  # noqa: S608
            "SELECT {projection:String}, row.1, {epoch:String}, row.2 "
            "FROM (SELECT arrayJoin({rows:Array(Tuple(UInt16, UInt64))}) AS row)",
            {"projection": self._projection, "epoch": epoch, "rows": rows},
            settings={"async_insert": 0, "insert_deduplicate": 0},
        )
        stored.update(rows)

    async def forget(self) -> None:
        """Drop every position of the projection, to rebuild it from the beginning or under a new epoch."""
        self._stored = None
        await self._client.execute(
            f"ALTER TABLE {self._table} DELETE WHERE projection = {{projection:String}}",
            {"projection": self._projection},
            settings={"mutations_sync": 1},
        )
