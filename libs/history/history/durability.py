"""The check that a table keeps what it acknowledged: its settings read back from the server, never assumed."""

import re
from collections.abc import Iterable

from history.client import HistoryClient
from history.errors import NotDurable

DURABLE_SETTINGS = {
    "fsync_after_insert": "1",
    "fsync_part_directory": "1",
    "min_rows_to_fsync_after_merge": "1",
    "old_parts_lifetime": "480",
}
"""What every source table states. By default a merged part is left unsynced while the parts it came from are deleted:
the third setting syncs it, the fourth keeps its sources until the disk has certainly seen it."""

DURABLE_CLAUSE = "SETTINGS " + ", ".join(f"{name} = {value}" for name, value in DURABLE_SETTINGS.items())
"""The same as the end of a CREATE TABLE."""


async def verify_durable(client: HistoryClient, tables: Iterable[str]) -> None:
    """Return if every table, named `database.table`, is a ReplacingMergeTree that states `DURABLE_SETTINGS`.

    A setting inherited from the server's configuration does not count: the next server may lack it. Raises
    `NotDurable`, naming the first table and what is wrong with it, also when the table does not exist.
    """
    for table in tables:
        database, _, name = table.rpartition(".")
        found = await client.rows(
            "SELECT engine, engine_full FROM system.tables WHERE database = {database:String} AND name = {name:String}",
            {"database": database or client.account.database, "name": name},
        )
        if not found:
            raise NotDurable(f"{table} does not exist")
        ((engine, definition),) = found
        if not engine.endswith("ReplacingMergeTree"):
            raise NotDurable(f"{table} is a {engine}: a retried insert would be counted twice")
        stated = dict(re.findall(r"(\w+) = (\w+)", definition.rpartition(" SETTINGS ")[2]))
        for setting, wanted in DURABLE_SETTINGS.items():
            if stated.get(setting) != wanted:
                raise NotDurable(f"{table} has {setting} = {stated.get(setting, 'unset')} instead of {wanted}")
