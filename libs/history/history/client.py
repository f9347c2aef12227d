"""The one way to ClickHouse: an account, a client over HTTP, a deadline on every call, its errors translated."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import clickhouse_connect
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.common import StreamContext
from clickhouse_connect.driver.exceptions import Error, ProgrammingError
from clickhouse_connect.driver.external import ExternalData

from history.errors import HistoryUnavailable, from_server
from history.rows import ProtobufTable

Row = tuple[Any, ...]
Settings = Mapping[str, str | int | float]
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Account:
    """Where ClickHouse is and who calls it. The password is left out of the repr."""

    url: str
    """`http://host:port` or `https://host:port`, without user, path or query."""
    user: str = "default"
    """The ClickHouse account."""
    password: str = field(default="", repr=False)
    """Its password."""
    database: str = "default"
    """Where unqualified names are looked up; it must exist."""
    deadline: float = 30.0
    """Seconds a call may take, connecting included, unless the call states its own."""
    connections: int = 8
    """Most connections held at once; further calls wait, within their deadline."""

    @classmethod
    def parse(cls, dsn: str, *, deadline: float = 30.0) -> Self:
        """The account of `CLICKHOUSE_URL`, which holds it whole: `http://user:password@host:port/database`.

        User, password and database may be left out; special characters are percent-encoded. Raises `ValueError`,
        whose text does not quote the address.
        """
        parts = urlsplit(dsn)
        return cls(
            url=urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", parts.query, "")),
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.strip("/") or "default"),
            deadline=deadline,
        )

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the ClickHouse url must read http://host:port or https://host:port")
        if parts.username or parts.password or parts.query or parts.path not in ("", "/"):
            raise ValueError(
                "the ClickHouse url holds more than scheme, host and port; account and database are separate"
            )
        if self.deadline <= 0 or self.connections <= 0:
            raise ValueError("deadline and connections must be positive")


class HistoryClient:
    """An account's connection pool. It connects on first use, so a service starts while ClickHouse is away.

    Every call ends within its deadline and raises `HistoryUnavailable` (retry later, outcome unknown) or
    `HistoryRejected` (a retry cannot help). Parameters are bound by the server: `{name:Type}` in the SQL. Safe for any
    number of tasks of one event loop. Use it as an async context manager, or close it.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self._client: AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. Later calls open new ones; closing twice is allowed."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def ping(self) -> None:
        """Return if ClickHouse runs a statement for this account; raise as every call does otherwise."""
        await self.rows("SELECT 1")

    async def rows(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        external: ExternalData | None = None,
        settings: Settings | None = None,
        deadline: float | None = None,
    ) -> list[Row]:
        """All rows of a query as tuples, times with their zone.

        A call given up, by its deadline or by cancellation, closes its connection, and the server ends the query.
        """
        seconds = deadline or self.account.deadline

        async def call(client: AsyncClient) -> list[Row]:
            result = await client.query(
                sql, dict(parameters or {}), settings=dict(settings or {}), external_data=external, tz_mode="aware"
            )
            return [tuple(row) for row in result.result_rows]

        return await self._call(call, seconds)

    @asynccontextmanager
    async def blocks(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
        deadline: float | None = None,
    ) -> AsyncIterator[AsyncIterator[list[Row]]]:
        """Stream a large result: `async with client.blocks(…) as blocks: async for rows in blocks`.

        The deadline covers each wait for a block, not the whole stream. Leaving early closes the connection, which
        ends the query. Blocks already handed out stay valid when a later one raises.
        """
        seconds = deadline or self.account.deadline

        async def start(client: AsyncClient) -> StreamContext:
            return await client.query_row_block_stream(
                sql, dict(parameters or {}), settings=dict(settings or {}), tz_mode="aware"
            )

        async with await self._call(start, seconds) as stream:
            yield _translated_blocks(stream, seconds)

    async def execute(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        settings: Settings | None = None,
        deadline: float | None = None,
    ) -> None:
        """Run a statement that answers nothing: DDL, or a small INSERT … SELECT or VALUES."""

        async def call(client: AsyncClient) -> None:
            await client.command(sql, dict(parameters or {}), settings=dict(settings or {}))

        await self._call(call, deadline or self.account.deadline)

    async def insert(
        self, table: ProtobufTable, data: bytes, *, settings: Settings | None = None, deadline: float | None = None
    ) -> None:
        """Insert length-delimited protobuf rows (`rows.delimited`) as one statement.

        Once it returns the rows are where the table's settings put them: on disk, if `verify_durable` passes. If it
        raises `HistoryUnavailable` they may be there or not.
        """

        async def call(client: AsyncClient) -> None:
            await client.raw_insert(
                table.name, table.columns, data, settings={**table.settings, **(settings or {})}, fmt="Protobuf"
            )

        await self._call(call, deadline or self.account.deadline)

    async def _call(self, call: Callable[[AsyncClient], Awaitable[_Result]], seconds: float) -> _Result:
        with _translated():
            async with asyncio.timeout(seconds):
                return await call(await self._open())

    async def _open(self) -> AsyncClient:
        async with self._opening:
            if self._client is None:
                account, address = self.account, urlsplit(self.account.url)
                self._client = await clickhouse_connect.get_async_client(
                    interface=address.scheme,
                    host=address.hostname,
                    port=address.port or (8443 if address.scheme == "https" else 8123),
                    username=account.user,
                    password=account.password,
                    database=account.database,
                    # A session would let two statements of one client lock each other out.
                    autogenerate_session_id=False,
                    compress=False,
                    connect_timeout=math.ceil(min(5.0, account.deadline)),
                    connector_limit=account.connections,
                    connector_limit_per_host=account.connections,
                )
            return self._client


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's exceptions into ours. The originals are cut off: their text quotes the statement."""
    try:
        yield
    except TimeoutError:
        raise HistoryUnavailable("deadline exceeded") from None
    except OSError as error:
        raise HistoryUnavailable(type(error).__name__) from None
    except ProgrammingError:
        # The driver itself refused the call: a defect on our side, to be seen as it is.
        raise
    except Error as error:
        if error.code is None:
            raise HistoryUnavailable("no answer from a ClickHouse server") from None
        raise from_server(error.code, str(error)) from None


async def _translated_blocks(stream: StreamContext, seconds: float) -> AsyncIterator[list[Row]]:
    blocks = aiter(stream)
    while True:
        with _translated():
            async with asyncio.timeout(seconds):
                block = await anext(blocks, None)
        if block is None:
            return
        yield [tuple(row) for row in block]
