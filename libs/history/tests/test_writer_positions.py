"""Positions beside the rows: never back, never of another log, never on a table that may forget."""

import pytest
from history.client import HistoryClient
from history.durability import verify_durable
from history.errors import NotDurable
from history.positions import PositionConflict, Positions, positions_ddl


@pytest.fixture
async def table(client: HistoryClient, database: str) -> str:
    await client.execute(positions_ddl(f"{database}.positions"))
    return f"{database}.positions"


async def test_nothing_is_stored_before_the_first_advance(client: HistoryClient, table: str) -> None:
    assert await Positions(client, "history", table).read("e1") == {}


async def test_positions_advance_by_shard_and_survive_a_new_client(client: HistoryClient, table: str) -> None:
    positions = Positions(client, "history", table)
    await positions.advance("e1", {0: 5, 3: 2**53})
    await positions.advance("e1", {0: 7})
    await positions.advance("e1", {0: 7, 3: 2**53})
    async with HistoryClient(client.account) as other:
        assert await Positions(other, "history", table).read("e1") == {0: 7, 3: 2**53}


async def test_offset_zero_is_recorded(client: HistoryClient, table: str) -> None:
    positions = Positions(client, "history", table)
    await positions.advance("e1", {0: 0})
    assert await positions.read("e1") == {0: 0}


async def test_projections_do_not_see_each_other(client: HistoryClient, table: str) -> None:
    await Positions(client, "a'b", table).advance("e1", {0: 5})
    assert await Positions(client, "other", table).read("e2") == {}
    await Positions(client, "a'b", table).forget()
    assert await Positions(client, "a'b", table).read("e2") == {}


async def test_going_back_is_refused_and_changes_no_shard(client: HistoryClient, table: str) -> None:
    positions = Positions(client, "history", table)
    await positions.advance("e1", {0: 5, 1: 5})
    with pytest.raises(PositionConflict, match="shard 1: 4 lies before 5"):
        await positions.advance("e1", {0: 6, 1: 4})
    assert await positions.read("e1") == {0: 5, 1: 5}


async def test_another_log_is_refused_until_the_projection_is_forgotten(client: HistoryClient, table: str) -> None:
    positions = Positions(client, "history", table)
    await positions.advance("e1", {0: 5})
    with pytest.raises(PositionConflict, match="log e1, but the log is e2"):
        await positions.read("e2")
    with pytest.raises(PositionConflict, match="log e1"):
        await positions.advance("e2", {0: 9})
    await positions.forget()
    await positions.advance("e2", {0: 1})
    assert await positions.read("e2") == {0: 1}


async def test_a_repeated_insert_of_an_older_offset_does_not_win(client: HistoryClient, table: str) -> None:
    positions = Positions(client, "history", table)
    await client.execute(f"SYSTEM STOP MERGES {table}")
    await positions.advance("e1", {0: 9})
    await client.execute(f"INSERT INTO {table} VALUES ('history', 0, 'e1', 4)")
    assert await positions.read("e1") == {0: 9}


async def test_the_table_of_the_migration_is_durable_and_another_is_refused(
    client: HistoryClient, database: str
) -> None:
    await client.execute(positions_ddl(f"{database}.good"))
    await verify_durable(client, [f"{database}.good"])
    await client.execute(
        f"CREATE TABLE {database}.bad (`projection` String, shard UInt16, epoch String, offset UInt64)"
        " ENGINE = ReplacingMergeTree(offset) ORDER BY (projection, shard)"
    )
    with pytest.raises(NotDurable):
        await Positions(client, "history", f"{database}.bad").advance("e1", {0: 1})
    assert await client.rows(f"SELECT count() FROM {database}.bad") == [(0,)]
