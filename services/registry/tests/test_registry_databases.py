"""The database that tests share: none sees what another left."""

import asyncpg  # type: ignore[import-untyped]
from registry.storage.store import opened
from registry.storage.testing import Emptied
from registry.testing import a_lot, kept

NOW = 4_102_444_800_000


async def position(url: str) -> tuple[str, int]:
    async with opened(url) as store, store.reading() as facts:
        return await facts.position()


async def test_nothing_is_left_but_the_schema(emptied: Emptied) -> None:
    url = await emptied.url()
    before = await position(url)
    async with opened(url) as store:
        await kept(store, NOW, a_lot(1, lot_id="lot-1"))
    again = await emptied.url()
    epoch, revision = await position(again)
    assert again == url
    assert (epoch == before[0], revision) == (False, 0)
    connection = await asyncpg.connect(again)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for (table,) in tables}
    await connection.close()
    assert {table: count for table, count in rows.items() if count} == {"alembic_version": 1, "numbering": 1}


async def test_one_with_another_schema_is_not_handed_out_again(emptied: Emptied) -> None:
    for change in ("ALTER TABLE names ADD COLUMN more TEXT", "ALTER TABLE facts DISABLE TRIGGER ALL"):
        url = await emptied.url()
        connection = await asyncpg.connect(url)
        await connection.execute(change)
        await connection.close()
        assert await emptied.url() != url
