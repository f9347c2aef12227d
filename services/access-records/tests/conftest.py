"""Real engines for the tests of access-records: a log server, a history server, and the service over both."""

from collections.abc import AsyncIterator, Iterator

import pytest
from access_records.testing import Platform, composed
from eventlog.server import EmbeddedServer
from eventlog.server import running as running_log
from history.server.testing import RunningServer, running_server


@pytest.fixture(scope="session")
def log_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with running_log(tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture(scope="session")
def history_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("history")) as server:
        yield server


@pytest.fixture(scope="session")
async def access(log_server: EmbeddedServer, history_server: RunningServer) -> AsyncIterator[Platform]:
    async with composed(log_server, history_server) as composition:
        yield composition
