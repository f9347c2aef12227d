"""The server killed under the writer: what was written before comes back, and writing again makes it exactly once."""

import asyncio
from pathlib import Path

import pytest
from history.client import Account, HistoryClient
from history.durability import DURABLE_CLAUSE
from history.errors import HistoryUnavailable
from history.positions import Positions, positions_ddl
from history.rows import ProtobufTable
from history.server.testing import RunningServer, running_server
from history.writer import BatchWriter

TABLES = tuple(
    ProtobufTable(
        f"store.{name}", ("month", "id"), 'syntax = "proto3"; message Row { uint32 month = 1; uint32 id = 2; }', "Row"
    )
    for name in ("a", "b")
)
MONTHS, ROWS = 4, 200


def batch(number: int) -> dict[str, dict[int, list[bytes]]]:
    rows = {
        month: [bytes((8, month, 16, row % 128 | 128, 128 | row // 128, number)) for row in range(ROWS)]
        for month in range(1, MONTHS + 1)
    }
    return {table.name: rows for table in TABLES}


async def prepare(server: RunningServer) -> None:
    async with HistoryClient(Account(server.url, "owner", server.secrets["owner"])) as owner:
        for table in TABLES:
            await owner.execute(
                f"CREATE TABLE {table.name} (month UInt8, id UInt32) ENGINE = ReplacingMergeTree"
                f" PARTITION BY month ORDER BY (month, id) {DURABLE_CLAUSE}"
            )
        await owner.execute(positions_ddl("store.positions"))


def writer_account(server: RunningServer) -> Account:
    return Account(server.url, "writer", server.secrets["writer"], "store")


async def counts(client: HistoryClient) -> list[tuple[int, int]]:
    found = [await client.rows(f"SELECT count(), uniqExact(month, id) FROM {table.name} FINAL") for table in TABLES]
    return [(rows, distinct) for ((rows, distinct),) in found]


class Killing(HistoryClient):
    """Kills the server after, or during, its n-th insert."""

    def __init__(self, server: RunningServer, fatal: int, delay: float | None) -> None:
        super().__init__(writer_account(server))
        self._server, self._fatal, self._delay = server, fatal, delay

    async def insert(self, table: ProtobufTable, data: bytes, **kwargs: object) -> None:
        self._fatal -= 1
        if self._fatal == 0 and self._delay is not None:
            asyncio.get_running_loop().call_later(self._delay, self._server.process.kill)
        await super().insert(table, data, **kwargs)  # type: ignore[arg-type]
        if self._fatal == 0:
            self._server.process.kill()
            self._server.process.wait()


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


async def drain(client: HistoryClient, number: int) -> None:
    await BatchWriter(client, TABLES, attempts=2, pause=at_once).write(batch(number))
    await Positions(client, "history").advance("e1", {0: number + 1})


@pytest.mark.slow
async def test_every_kill_is_made_good_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    kills = ((2, None), (8, None), (1, 0.004), (6, 0.008))
    for done, (fatal, delay) in enumerate(kills):
        with running_server(tmp_path) as server:
            if done == 0:
                await prepare(server)
            else:
                await make_good(server, done - 1)
            async with Killing(server, fatal, delay) as client:
                with pytest.raises(HistoryUnavailable):
                    await drain(client, done)
    with running_server(tmp_path) as server:
        await make_good(server, len(kills) - 1)


async def make_good(server: RunningServer, number: int) -> None:
    async with HistoryClient(writer_account(server)) as client:
        assert await Positions(client, "history").read("e1") == ({0: number} if number else {})
        await drain(client, number)
        assert await counts(client) == [((number + 1) * MONTHS * ROWS,) * 2] * 2
