"""Questions to the history, asked as an analyst asks them: by clickhouse-connect over HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from rich.table import Table
from vocabulary.beijing import BEIJING

from parkmesh_cli.errors import CliError
from parkmesh_cli.target import Analyst

_CONNECT_S = 5
_ANSWER_S = 60


class Answer(NamedTuple):
    """The rows that answer a question."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def as_table(self) -> Table:
        """The rows for people: numbers to the right, instants in Beijing time, nothing for NULL."""
        table = Table()
        for place, name in enumerate(self.columns):
            numbers = all(isinstance(row[place], int | float) or row[place] is None for row in self.rows)
            table.add_column(name, justify="right" if numbers and self.rows else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*map(_text, row))
        return table


class Desk:
    """Where the analyst asks."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def ask(self, query: str, parameters: dict[str, Any] | None = None) -> Answer:
        """The answer; CliError with the history's own words when it refuses."""
        try:
            result = await self._client.query(query, parameters=parameters)
        except ClickHouseError as error:
            raise CliError(f"the history refused the query: {_words(error)}") from error
        return Answer(result.column_names, result.result_rows)


@asynccontextmanager
async def desk(analyst: Analyst | None) -> AsyncIterator[Desk]:
    """A connection to the history; CliError when there is no account or nobody answers."""
    if analyst is None:
        raise CliError("there is no analyst's account here: it stands in the demo.json that `make up` writes")
    try:
        client = await clickhouse_connect.get_async_client(
            dsn=analyst.url,
            username=analyst.user,
            password=analyst.password,
            database=analyst.database,
            connect_timeout=_CONNECT_S,
            send_receive_timeout=_ANSWER_S,
        )
    except OperationalError as error:
        raise CliError(
            f"the history at {analyst.url} cannot be reached: is it running? `make up` starts it 历史库不可达"
        ) from error
    except ClickHouseError as error:
        raise CliError(f"the history at {analyst.url} does not let the analyst in: {_words(error)}") from error
    try:
        yield Desk(client)
    finally:
        await client.close()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _words(error: Exception) -> str:
    """What ClickHouse itself says, without what the driver puts around it."""
    said = str(error).partition("DB::Exception: ")[2] or str(error)
    return said.partition(" (for url ")[0].partition("\n")[0].strip()
