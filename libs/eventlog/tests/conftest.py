"""One real log server for most tests; each test has a log of its own on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from eventlog import EventLog
from eventlog.server import EmbeddedServer, running
from eventlog.testing import HandClock, next_name


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with running(tmp_path_factory.mktemp("eventlog")) as embedded:
        yield embedded


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with running(tmp_path / "own") as embedded:
        yield embedded


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def log(server: EmbeddedServer, clock: HandClock) -> AsyncIterator[EventLog]:
    async with await EventLog.open(server.url, name=next_name(), clock=clock) as opened:
        yield opened
