"""The server's life: one process per path, a graceful end, and nothing acknowledged lost by a kill."""

import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from history.server.testing import RunningServer, running_server

DURABLE = (
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480"
)


@pytest.mark.slow
def test_a_second_process_on_a_path_is_refused_in_one_line(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        command = [sys.executable, "-m", "history.server", "--config", str(server.config)]
        second = subprocess.run(command, capture_output=True, text=True)
        assert second.returncode == 3
        assert second.stderr == f"history.server: {tmp_path / 'data'} is in use by another process\n"
        # What the first one owns is untouched.
        with clickhouse_connect.get_client(**server.connect("owner")) as owner:
            assert owner.command("SELECT 1") == 1
            owner.command("CREATE TABLE store.still (n UInt8) ENGINE = MergeTree ORDER BY n")
            assert owner.insert("store.still", [[1]], column_names=["n"]).written_rows == 1


@pytest.mark.slow
def test_a_taken_port_is_told_in_one_line(tmp_path: Path, clickhouse: RunningServer) -> None:
    with (
        pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{clickhouse.port}"),
        running_server(tmp_path, port=clickhouse.port),
    ):
        pass
    assert len((tmp_path / "server.log").read_text().splitlines()) == 1


@pytest.mark.slow
def test_a_stop_lets_inserts_end_and_queries_go(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with clickhouse_connect.get_client(**server.connect("owner")) as owner:
            owner.command(f"CREATE TABLE store.slow (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS {DURABLE}")
        outcomes: dict[str, object] = {}

        def run(name: str, sql: str) -> None:
            connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
            try:
                connection.request("POST", f"/?user=owner&password={server.secrets['owner']}", sql.encode())
                response = connection.getresponse()
                outcomes[name] = response.status
                response.read()
            except (OSError, http.client.HTTPException):
                outcomes[name] = None
            finally:
                connection.close()

        insert = "INSERT INTO store.slow SELECT number + sleepEachRow(1) FROM numbers(2) SETTINGS max_block_size = 1"
        endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
        threads = [threading.Thread(target=run, args=item) for item in (("insert", insert), ("endless", endless))]
        for thread in threads:
            thread.start()
        with clickhouse_connect.get_client(**server.connect("owner")) as owner:
            while owner.command("SELECT count() FROM system.processes") != 3:
                time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        while '"stopping"' not in server.log.read_text():
            time.sleep(0.01)
        run("late", "SELECT 1")
        for thread in threads:
            thread.join()
        assert server.process.wait(30) == 0
        assert outcomes["insert"] == 200
        assert outcomes["late"] in {503, None}
        assert outcomes["endless"] != 200
        assert not (tmp_path / "data.tmp").exists()
    with running_server(tmp_path) as server, clickhouse_connect.get_client(**server.connect("owner")) as owner:
        assert owner.command("SELECT count() FROM store.slow") == 2


@pytest.mark.slow
def test_acknowledged_inserts_survive_a_kill(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    sent: set[int] = set()
    batch = 50
    for round_number in range(2):
        with running_server(tmp_path) as server:
            if not round_number:
                with clickhouse_connect.get_client(**server.connect("owner")) as owner:
                    owner.command(
                        f"CREATE TABLE store.kept (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS {DURABLE}"
                    )
            killer = threading.Thread(target=_kill_after, args=(server, acknowledged, len(acknowledged) + 20))
            killer.start()
            _insert_until_dead(server, sent, acknowledged, batch)
            killer.join()
    leftover = tmp_path / "data.tmp" / "leftover"
    leftover.write_text("of a crash")
    with running_server(tmp_path) as server, clickhouse_connect.get_client(**server.connect("owner")) as owner:
        rows = owner.query("SELECT intDiv(n, 1000) AS b, count() FROM store.kept GROUP BY b").result_rows
        counts = {int(number): int(count) for number, count in rows}
        assert not leftover.exists()
    assert len(acknowledged) >= 40
    assert dict.fromkeys(acknowledged, batch).items() <= counts.items()
    assert counts.keys() <= sent
    assert set(counts.values()) == {batch}


def _kill_after(server: RunningServer, acknowledged: set[int], enough: int) -> None:
    while len(acknowledged) < enough:
        time.sleep(0.001)
    server.process.kill()


def _insert_until_dead(server: RunningServer, sent: set[int], acknowledged: set[int], batch: int) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    try:
        while True:
            number = len(sent)
            sent.add(number)
            rows = "\n".join(str(number * 1000 + n) for n in range(batch))
            address = f"/?user=writer&password={server.secrets['writer']}&query=INSERT+INTO+store.kept+FORMAT+TSV"
            connection.request("POST", address, rows)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
            acknowledged.add(number)
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


@pytest.mark.slow
def test_bodies_have_a_bound(tmp_path: Path) -> None:
    with running_server(tmp_path, max_body_bytes=100_000) as server:
        with clickhouse_connect.get_client(**server.connect("owner")) as owner:
            owner.command("CREATE TABLE store.bounded (word String) ENGINE = MergeTree ORDER BY word")
            assert owner.raw_insert("store.bounded", ["word"], b"x" * 90_000, fmt="CSV").written_rows == 1
            for compression, body in ((None, b"x" * 200_000), ("gzip", _bomb())):
                with pytest.raises(ClickHouseError, match="too large") as refused:
                    owner.raw_insert("store.bounded", ["word"], body, fmt="CSV", compression=compression)
                assert "307" in str(refused.value)
            assert owner.command("SELECT count() FROM store.bounded") == 1
        head = (
            f"POST /?user=owner&password={server.secrets['owner']}&query=INSERT+INTO+store.bounded+FORMAT+CSV HTTP/1.1"
        )
        for body_header in ("Content-Length: 999999999999", "Transfer-Encoding: chunked"):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
            connection.connect()
            connection.sock.sendall(
                f"{head}\r\nHost: x\r\n{body_header}\r\n\r\n".encode() + b"20000\r\n" + b"x" * 0x20000
            )
            answer = connection.sock.recv(4096)
            assert answer.startswith(b"HTTP/1.1 413"), answer
            connection.close()


def _bomb() -> bytes:
    return gzip.compress(bytes(5_000_000))


@pytest.mark.slow
def test_a_writer_does_not_wait_for_analysts(tmp_path: Path) -> None:
    with running_server(tmp_path, limits={"analyst": {"max_concurrent_queries": 2, "queue_seconds": 0.1}}) as server:
        with clickhouse_connect.get_client(**server.connect("owner")) as owner:
            owner.command("CREATE TABLE store.busy (n UInt64) ENGINE = MergeTree ORDER BY n")
        connections = []
        for _ in range(4):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
            sql = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))"
            connection.request("POST", f"/?user=analyst&password={server.secrets['analyst']}", sql)
            connections.append(connection)
        with clickhouse_connect.get_client(**server.connect("writer")) as writer:
            for _ in range(5):
                assert writer.insert("store.busy", [[1]], column_names=["n"]).written_rows == 1
        for connection in connections:
            connection.close()


def test_the_files_of_the_server_are_its_own(clickhouse: RunningServer) -> None:
    tmp = clickhouse.config.parent / "data.tmp"
    assert tmp.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp.iterdir()} == {
        "config.xml": 0o600,
        "users.xml": 0o600,
    }
    for secret in clickhouse.secrets.values():
        assert all(secret not in file.read_text() for file in tmp.iterdir())
        assert secret not in clickhouse.log.read_text()
        assert secret not in Path(f"/proc/{clickhouse.process.pid}/cmdline").read_text()


def test_no_statement_reaches_the_disk(clickhouse: RunningServer) -> None:
    with clickhouse_connect.get_client(**clickhouse.connect("owner")) as owner:
        assert owner.command("SELECT 'KANARIENPLATTE'") == "KANARIENPLATTE"
        owner.command("SYSTEM FLUSH LOGS")
        sql = "SELECT name FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'"
        assert owner.query(sql).result_rows == []
    files = [file for file in clickhouse.config.parent.rglob("*") if file.is_file()]
    assert files
    assert not any(b"KANARIENPLATTE" in file.read_bytes() for file in files)


@pytest.mark.slow
@pytest.mark.parametrize(("change", "told"), [
    ({"accounts": [{"name": "a", "kind": "owner", "secret": ""}]}, "has no secret"),
])  # fmt: skip
def test_a_wrong_configuration_is_told_in_one_line(tmp_path: Path, change: dict[str, object], told: str) -> None:
    config = tmp_path / "server.json"
    good = {"path": str(tmp_path / "data"), "accounts": [{"name": "a", "kind": "owner", "secret": "x"}], "port": 0}
    config.write_text(json.dumps(good | change))
    command = [sys.executable, "-m", "history.server", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert ended.returncode == 2
    assert told in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_a_client_that_cannot_connect_is_told(clickhouse: RunningServer) -> None:
    with pytest.raises((OperationalError, ClickHouseError), match=r"516|Authentication"):
        clickhouse_connect.get_client(**clickhouse.connect("owner") | {"password": "wrong"})
