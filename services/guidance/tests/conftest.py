"""A real history that holds the view which guidance reads, fed by the tests themselves."""

from collections.abc import Iterator

import clickhouse_connect
import pytest
from history.server.testing import RunningServer, running_server

SCHEMA = (
    "CREATE TABLE store.lot_free (lot_id String, event_time DateTime64(3, 'Asia/Shanghai'), free_spaces Int32)"
    " ENGINE = ReplacingMergeTree(event_time) ORDER BY lot_id",
    "CREATE VIEW parkmesh.lot_latest DEFINER = owner SQL SECURITY DEFINER AS"
    " SELECT lot_id, free_spaces, event_time FROM store.lot_free FINAL",
)


@pytest.fixture(scope="session")
def history_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("history")) as server:
        client = clickhouse_connect.get_client(**server.connect("owner"))
        for statement in SCHEMA:
            client.command(statement)
        client.close()
        yield server
