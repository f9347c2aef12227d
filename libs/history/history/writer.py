"""The batch writer: rows into ClickHouse, partition by partition, durable once it returns, harmless when repeated."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from history.client import HistoryClient
from history.durability import verify_durable
from history.errors import HistoryUnavailable
from history.rows import ProtobufTable, delimited

Batch = Mapping[str, Mapping[int, Sequence[bytes]]]
"""Serialized rows by table name, then by the value of the table's PARTITION BY; 0 for a table without one."""


class BatchWriter:
    """Writes batches of protobuf rows into a fixed list of tables.

    ClickHouse commits an insert once per partition, so a batch goes out as one INSERT per table and partition: tables
    in the order given here, partitions ascending. The caller records its position after `write` has returned, never
    before: then every row lies fsynced in its table.

    An insert whose outcome is unknown is sent again, here and by the caller after a restart. That changes no sum
    because each table is a ReplacingMergeTree ordered by the full identity of a row, so that a repeated row replaces
    itself; readers use FINAL. Nothing may hang on these tables that adds up on insert. A batch that is repeated must
    therefore hold the same rows, but may hold more and be cut elsewhere.
    """

    def __init__(
        self,
        client: HistoryClient,
        tables: Sequence[ProtobufTable],
        *,
        attempts: int = 3,
        deadline: float = 60.0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Each insert has `attempts` tries of `deadline` seconds, with jittered pauses of up to 1, 2, 4 … s between."""
        self._client = client
        self._tables = {table.name: table for table in tables}
        self._attempts = attempts
        self._deadline = deadline
        self._pause = pause
        self._verified = False

    async def write(self, batch: Batch) -> int:
        """Write every row of the batch; answer how many inserts it took.

        Raises `NotDurable` before the first row if a table would not keep it, `HistoryUnavailable` when an insert's
        last try failed, `HistoryRejected` when ClickHouse refuses rows, among them rows filed under a partition that is
        not theirs (see `ProtobufTable.partitions`), and `KeyError` for a table the writer does not know. After any of
        these a part of the batch may be stored: write the whole batch again.
        """
        if unknown := batch.keys() - self._tables.keys():
            raise KeyError(f"not among the writer's tables: {', '.join(sorted(unknown))}")
        if not self._verified:
            await verify_durable(self._client, self._tables)
            self._verified = True
        inserts = 0
        for name, table in self._tables.items():
            for _, rows in sorted(batch.get(name, {}).items()):
                if rows:
                    await self._insert(table, delimited(rows))
                    inserts += 1
        return inserts

    async def _insert(self, table: ProtobufTable, data: bytes) -> None:
        for attempt in range(self._attempts):
            if attempt:
                await self._pause(random.uniform(0, 2 ** (attempt - 1)))  # noqa: S311
            try:
                # The server itself refuses rows of a further partition: they would be a commit of their own.
                settings = {"max_partitions_per_insert_block": table.partitions}
                await self._client.insert(table, data, settings=settings, deadline=self._deadline)
            except HistoryUnavailable:
                if attempt + 1 == self._attempts:
                    raise
            else:
                return
