"""The database as the use cases see it: transactions that read, and transactions in which every change is an act."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from registry.storage.acts import Act
from registry.storage.engine import engine_of, migrate, translated
from registry.storage.reader import Reader
from registry.storage.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="_HasStore")


class _HasStore(Protocol):
    _store: "Store"


class Store:
    """One database. Open it with `opened`; read and write where `to_the_end` sees to it that transactions end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._listeners: list[Callable[[], None]] = []
        self._work: set[asyncio.Task[Any]] = set()

    async def carry_out(self, work: Coroutine[Any, Any, T]) -> T:
        """Does the work to its end, and before the store closes, also when the caller is cancelled meanwhile."""
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # the caller, who is told of it, may be gone

    async def close(self) -> None:
        """Waits for the work to end, and closes all connections."""
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._engine.dispose()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls the listener after every transaction of this store that changed something."""
        self._listeners.append(listener)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """A transaction for reading. StoreUnavailable when the database cannot be reached."""
        async with self._transaction(writes=False) as connection:
            yield Reader(connection)

    @contextlib.asynccontextmanager
    async def writing(self, act: Act) -> AsyncIterator[Writer]:
        """A transaction for changes: all are kept, with the entry that seals them, or, on an error, none."""
        async with self._transaction(writes=True) as connection:
            writer = await Writer(connection, act).lock()
            yield writer
            await writer.seal()
        if writer.changed:
            for listener in self._listeners:
                listener()

    async def migrate(self) -> None:
        """Brings the schema forward to this version's; one process at a time. StoreUnavailable."""
        async with self._transaction(writes=True) as connection:
            await migrate(connection)

    @contextlib.asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._engine.connect() as connection:
                await connection.execution_options(writes=writes)
                async with connection.begin():
                    yield connection


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store at sqlite:///<path> or postgresql://…, migrated; closed at the end."""
    store = Store(engine_of(url))
    try:
        await store.carry_out(store.migrate())
        yield store
    finally:
        await store.close()


def to_the_end(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A method that is carried out to its end when its caller is cancelled, as callers that hang up are.

    A driver that is interrupted may leave its connection, and with it a lock on the whole database, behind.
    """

    @functools.wraps(method)
    async def carried_out(self: S, /, *args: P.args, **named: P.kwargs) -> T:
        return await self._store.carry_out(method(self, *args, **named))

    return carried_out
