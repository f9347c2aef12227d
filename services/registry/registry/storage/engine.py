"""The database's engine, SQLite or PostgreSQL: how it is opened, and how transactions begin on it."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from registry.errors import StoreUnavailable

_NOT_NOW: Final = frozenset({"08", "40", "53", "55", "57", "58"})
"""PostgreSQL's classes of errors that say nothing against the statement: connection, rollback, resources, operator."""
_MIGRATING: Final = 0x9A4B_3E17  # the lock under which one process at a time migrates
_DISCREET: Final = {"hide_parameters": True}  # names, phones and hashes stand in no error that is logged


def engine_of(url: str) -> AsyncEngine:
    """An engine for sqlite:///<path> or postgresql://…; nothing is opened yet but the folder."""
    address = sa.make_url(url)
    if address.get_backend_name() == "postgresql":
        return create_async_engine(address.set(drivername="postgresql+asyncpg"), pool_pre_ping=True, **_DISCREET)
    if address.database:
        pathlib.Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    # One connection is the single writer, and readers never hold up its commit.
    one = {"pool_size": 1, "max_overflow": 0}
    engine = create_async_engine(address.set(drivername="sqlite+aiosqlite"), **one, **_DISCREET)
    sa.event.listen(engine.sync_engine, "connect", _prepare)
    sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


async def migrate(connection: AsyncConnection) -> None:
    """Brings the schema forward to this version's; one process at a time."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
    await connection.run_sync(_upgrade)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns a database that cannot be reached into StoreUnavailable."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, OSError) as error:
        raise StoreUnavailable from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or str(getattr(error.orig, "sqlstate", ""))[:2] in _NOT_NOW:
            raise StoreUnavailable from error
        raise


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not where the driver guesses
    cursor = connection.cursor()
    # A rollback journal, for WAL can lose commits in the SQLite versions before 3.51.3 that systems still ship.
    for pragma in ("journal_mode = DELETE", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that will write takes its lock at once: turned into a writer later, it could fail at any statement.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "registry:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
