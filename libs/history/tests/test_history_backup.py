"""BACKUP and RESTORE through the server: the owner alone, in the folder that was allowed, whole or refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from history import backup
from history.client import Account, HistoryClient
from history.errors import HistoryRejected
from history.positions import Positions, positions_ddl
from history.server.testing import RunningServer, running_server


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("allowed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, allowed: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("backed up"), backups=str(allowed)) as running:
        yield running


def account(server: RunningServer, name: str) -> Account:
    return Account(server.url, name, server.secrets[name])


async def test_a_database_is_restored_as_it_was(server: RunningServer, allowed: Path) -> None:
    async with HistoryClient(account(server, "owner")) as owner:
        await owner.execute("CREATE TABLE store.facts (id UInt64) ENGINE = ReplacingMergeTree ORDER BY id")
        await owner.execute(positions_ddl("store.positions"))
        await owner.execute("INSERT INTO store.facts SELECT number FROM numbers(100000)")
        await Positions(owner, "history").advance("epoch", {0: 7})
        await backup.back_up(owner, "store", allowed / "one")
        with pytest.raises(HistoryRejected):
            await backup.back_up(owner, "store", allowed / "one")
        for table in ("facts", "positions"):
            await owner.execute(f"DROP TABLE store.{table} SYNC")
        await backup.restore(owner, "store", allowed / "one")
        assert await owner.rows("SELECT count(), sum(id) FROM store.facts") == [(100_000, 4_999_950_000)]
        assert await Positions(owner, "history").read("epoch") == {0: 7}


async def test_nobody_else_and_nowhere_else(server: RunningServer, allowed: Path, tmp_path: Path) -> None:
    for name in ("writer", "reader", "analyst"):
        async with HistoryClient(account(server, name)) as client:
            with pytest.raises(HistoryRejected):
                await client.execute(f"BACKUP DATABASE store TO File('{allowed / name}')")
    async with HistoryClient(account(server, "owner")) as owner:
        with pytest.raises(HistoryRejected):
            await owner.execute(f"BACKUP DATABASE store TO File('{tmp_path / 'elsewhere'}')")
    assert not os.listdir(tmp_path)
    assert set(os.listdir(allowed)) <= {"one"}


def test_a_path_that_would_end_the_statement_is_refused() -> None:
    with pytest.raises(ValueError, match="quote"):
        backup._place(Path("/backups/x') SETTINGS y=('"))
