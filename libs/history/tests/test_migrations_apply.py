"""Migrations against a real engine: once each, in order, recovered after a crash, never edited afterwards."""

import asyncio

import pytest
from history.client import Account, HistoryClient
from history.errors import HistoryUnavailable
from history.migrations import Migration, MigrationError, dump_schema, migrate


def files(database: str) -> tuple[Migration, ...]:
    return (
        Migration(
            1,
            "0001_rows.sql",
            f"-- Why.\nCREATE TABLE IF NOT EXISTS {database}.a (id String) ENGINE = MergeTree ORDER BY id",
        ),
        Migration(2, "0002_count.sql", f"-- Why.\nALTER TABLE {database}.a ADD COLUMN IF NOT EXISTS n UInt64"),
        Migration(
            3, "0003_view.sql", f"-- Why.\nCREATE VIEW IF NOT EXISTS {database}.v AS SELECT id, n FROM {database}.a"
        ),
    )


async def test_each_is_applied_once(client: HistoryClient, database: str) -> None:
    first, second, third = files(database)
    assert await migrate(client, [first], database) == ("0001_rows.sql",)
    assert await migrate(client, [first, second, third], database) == ("0002_count.sql", "0003_view.sql")
    assert await migrate(client, [first, second, third], database) == ()
    assert await client.rows(f"SELECT count() FROM {database}.v") == [(0,)]


async def test_the_base_database_is_created(client: HistoryClient, database: str) -> None:
    await client.execute(f"DROP DATABASE {database}")
    await migrate(client, files(database), database)
    assert await client.rows(f"SELECT count() FROM {database}.migrations FINAL") == [(3,)]


async def test_a_changed_file_is_named_and_nothing_runs(client: HistoryClient, database: str) -> None:
    first, second, third = files(database)
    await migrate(client, [first], database)
    edited = Migration(1, first.name, first.sql + " ")
    with pytest.raises(MigrationError, match=r"0001_rows\.sql: changed"):
        await migrate(client, [edited, second, third], database)
    assert await client.rows(f"SELECT number FROM {database}.migrations") == [(1,)]


@pytest.mark.parametrize("keep", [slice(0, 1), slice(1, 1)])
async def test_a_vanished_file_is_named(client: HistoryClient, database: str, keep: slice) -> None:
    await migrate(client, files(database)[:2], database)
    with pytest.raises(MigrationError, match="no longer among the files"):
        await migrate(client, files(database)[keep], database)


async def test_a_renamed_file_is_named(client: HistoryClient, database: str) -> None:
    first, *_ = files(database)
    await migrate(client, [first], database)
    with pytest.raises(MigrationError, match=r"0001_rows\.sql: applied"):
        await migrate(client, [Migration(1, "0001_other.sql", first.sql)], database)


async def test_a_file_slipped_in_before_an_applied_one_is_named(client: HistoryClient, database: str) -> None:
    first, second, _ = files(database)
    skipping = Migration(3, "0003_other.sql", first.sql)
    await migrate(client, [first, skipping], database)
    with pytest.raises(MigrationError, match=r"0002_count\.sql: a later"):
        await migrate(client, [first, second, skipping], database)


async def test_a_refused_statement_names_its_file_and_keeps_the_ones_before(
    client: HistoryClient, database: str
) -> None:
    first, *_ = files(database)
    bad = Migration(2, "0002_bad.sql", f"-- Why.\nCREATE TABLE IF NOT EXISTS {database}.b (id Strnig) ENGINE = Memory")
    with pytest.raises(MigrationError, match=r"0002_bad\.sql: .*Strnig"):
        await migrate(client, [first, bad], database)
    assert await client.rows(f"SELECT number FROM {database}.migrations") == [(1,)]


class CrashError(Exception):
    pass


class CrashingClient(HistoryClient):
    """Dies on its n-th statement, before or after the server has run it."""

    def __init__(self, client: HistoryClient, fatal: int, *, after: bool) -> None:
        super().__init__(client.account)
        self._fatal, self._after = fatal, after

    async def execute(self, *args: object, **kwargs: object) -> None:
        self._fatal -= 1
        if self._fatal != 0:
            return await super().execute(*args, **kwargs)  # type: ignore[arg-type]
        if self._after:
            await super().execute(*args, **kwargs)  # type: ignore[arg-type]
        raise CrashError


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fatal", range(1, 9))
async def test_a_crash_at_any_statement_is_recovered(
    client: HistoryClient, database: str, fatal: int, after: bool
) -> None:
    async with CrashingClient(client, fatal, after=after) as crashing:
        with pytest.raises(CrashError):
            await migrate(crashing, files(database), database)
    await migrate(client, files(database), database)
    assert await migrate(client, files(database), database) == ()
    assert await client.rows(f"SELECT n FROM {database}.v") == []


async def test_two_at_once_do_no_harm(client: HistoryClient, database: str) -> None:
    await asyncio.gather(*(migrate(client, files(database), database) for _ in range(4)))
    assert await migrate(client, files(database), database) == ()
    assert await client.rows(f"SELECT number FROM {database}.migrations FINAL ORDER BY number") == [(1,), (2,), (3,)]


async def test_an_unsafe_database_name_is_refused(client: HistoryClient) -> None:
    with pytest.raises(ValueError, match="database name"):
        await migrate(client, [], "a; DROP DATABASE b")


async def test_no_server_is_unavailable_not_a_migration_error() -> None:
    async with HistoryClient(Account("http://127.0.0.1:1")) as away:
        with pytest.raises(HistoryUnavailable):
            await migrate(away, files("x"), "x")


async def test_the_schema_dump_is_what_a_reviewer_compares(client: HistoryClient, database: str) -> None:
    await migrate(client, files(database), database)
    assert await dump_schema(client, [database, "no_such_database"]) == (
        f"CREATE TABLE {database}.a\n(\n    `id` String,\n    `n` UInt64\n)\nENGINE = MergeTree\nORDER BY id\n"
        "SETTINGS index_granularity = 8192;\n"
        "\n"
        f"CREATE VIEW {database}.v\n(\n    `id` String,\n    `n` UInt64\n)\n"
        f"AS SELECT\n    id,\n    n\nFROM {database}.a;\n"
    )
