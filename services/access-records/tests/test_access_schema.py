"""The history's schema is what was reviewed, and every column says what it holds."""

import pathlib

from access_records.testing import Platform
from history.client import Account, HistoryClient
from history.durability import verify_durable
from history.migrations import dump_schema

REVIEWED = pathlib.Path(__file__).parents[1] / "access_records" / "schema.sql"


def owner(access: Platform) -> HistoryClient:
    return HistoryClient(Account(access.history.url, "owner", access.history.secrets["owner"]))


async def test_the_migrations_make_the_reviewed_schema(access: Platform) -> None:
    async with owner(access) as client:
        dumped = await dump_schema(client, ["store", "parkmesh"])
    assert dumped == REVIEWED.read_text(encoding="utf-8"), "review the change and write the dump into schema.sql"


async def test_every_base_table_keeps_what_it_acknowledged(access: Platform) -> None:
    async with owner(access) as client:
        tables = await client.rows(
            "SELECT name FROM system.tables"
            " WHERE database = 'store' AND engine LIKE '%MergeTree' AND name != 'migrations'"
        )
        await verify_durable(client, [f"store.{name}" for (name,) in tables])
    assert {"record_revisions", "records_current", "lots", "lot_free", "positions"} <= {name for (name,) in tables}


async def test_every_column_of_a_base_table_is_explained_in_chinese(access: Platform) -> None:
    async with owner(access) as client:
        bare = await client.rows(
            "SELECT table, name FROM system.columns WHERE database = 'store' AND comment = ''"
            " AND table != 'migrations' AND NOT endsWith(table, '_feed') AND default_kind != 'EPHEMERAL'"
        )
    assert bare == []
