"""One real server for the tests of this folder, and a database of its own for each test."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from history.client import Account, HistoryClient
from history.server.testing import RunningServer, running_server

_databases = itertools.count()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture(scope="session")
def owner(clickhouse: RunningServer) -> Account:
    return Account(clickhouse.url, "owner", clickhouse.secrets["owner"])


@pytest.fixture
async def client(owner: Account) -> AsyncIterator[HistoryClient]:
    async with HistoryClient(owner) as client:
        yield client


@pytest.fixture
async def database(client: HistoryClient) -> AsyncIterator[str]:
    name = f"test{next(_databases)}"
    await client.execute(f"CREATE DATABASE {name}")
    yield name
    await client.execute(f"DROP DATABASE {name}")
