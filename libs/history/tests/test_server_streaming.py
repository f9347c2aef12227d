"""Results stream: they do not pile up in the server, end when the client leaves, and tell errors that come late."""

import base64
import contextlib
import gc
import http.client
import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import ClickHouseError
from history.server.testing import RunningServer, running_server

MEMORY = 100 << 10
"""KiB that the server may grow by."""


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("streaming")) as server:
        yield server


def _headers(server: RunningServer, account: str) -> dict[str, str]:
    secret = base64.b64encode(f"{account}:{server.secrets[account]}".encode()).decode()
    return {"Authorization": f"Basic {secret}"}


def _memory(server: RunningServer, field: str) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


def _drained(server: RunningServer, sql: str, query: str = "", encoding: str = "") -> int:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    headers = _headers(server, "reader") | ({"Accept-Encoding": encoding} if encoding else {})
    connection.request("POST", "/" + query, sql.encode(), headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    assert response.headers.get("Content-Encoding", "") == encoding
    size = 0
    while chunk := response.read(1 << 20):
        size += len(chunk)
    connection.close()
    return size


@pytest.mark.slow
def test_two_million_rows_do_not_grow_the_server(streaming: RunningServer) -> None:
    rows = "SELECT number AS n, concat('text of row ', toString(number)) AS text FROM numbers(2000000)"
    for encoding in ("", "gzip"):
        _drained(streaming, rows.replace("2000000", "10000"), "?enable_http_compression=1", encoding)
    before = _memory(streaming, "VmHWM")
    asked = (
        ("Native", ""),
        ("JSON", ""),
        ("ArrowStream", ""),
        ("CSVWithNames", "lz4"),
        ("TSV", "zstd"),
        ("TSV", "gzip"),
    )
    for format_name, encoding in asked:
        size = _drained(streaming, f"{rows} FORMAT {format_name}", "?enable_http_compression=1", encoding)
        assert size > 1_000_000
    assert _memory(streaming, "VmHWM") - before < MEMORY


@pytest.mark.slow
def test_a_client_that_waits_does_not_grow_the_server(streaming: RunningServer) -> None:
    before = _memory(streaming, "VmRSS")
    with _asked(streaming, "SELECT number, toString(number) FROM numbers(2000000000) FORMAT TSV") as waiting:
        waiting.recv(1000)
        time.sleep(1)
        assert _memory(streaming, "VmRSS") - before < MEMORY
    assert _eventually(lambda: _running(streaming) == 0)


def _asked(server: RunningServer, sql: str, account: str = "reader") -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=30)
    authorization = _headers(server, account)["Authorization"]
    body = sql.encode()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def _running(server: RunningServer) -> int:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    sql = b"SELECT count() FROM system.processes WHERE query NOT LIKE '%system.processes%'"
    connection.request("POST", "/", sql, _headers(server, "owner"))
    count = int(connection.getresponse().read())
    connection.close()
    return count


def _eventually(true: Callable[[], bool]) -> bool:
    for _ in range(200):
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("sql", [
    "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))",
    "SELECT number FROM numbers(1000000000000)",
    "SELECT sleepEachRow(1) FROM numbers(1000) SETTINGS max_block_size = 1",
    "SELECT max(number) FROM numbers(1000000000000) FORMAT JSON",
])  # fmt: skip
def test_a_client_that_leaves_has_its_query_killed(streaming: RunningServer, sql: str) -> None:
    connection = _asked(streaming, sql)
    assert _eventually(lambda: _running(streaming) == 1)
    connection.close()
    assert _eventually(lambda: _running(streaming) == 0)
    assert _drained(streaming, "SELECT 1") == 2


@pytest.mark.slow
def test_leaving_again_and_again_leaves_nothing_behind(streaming: RunningServer) -> None:
    def descriptors() -> int:
        # Not the engine's own: it keeps some files open for each of its threads.
        count = 0
        for link in Path(f"/proc/{streaming.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(link).startswith(("pipe:", "socket:"))
        return count

    def hit() -> None:
        with _asked(streaming, "SELECT number FROM numbers(100000000000)") as connection:
            connection.recv(100)

    for _ in range(12):
        hit()
    assert _eventually(lambda: _running(streaming) == 0)
    before = descriptors()
    for _ in range(12):
        hit()
    assert _eventually(lambda: _running(streaming) == 0)
    assert _eventually(lambda: descriptors() <= before + 2)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["", "lz4", "zstd", "gzip"])
def test_an_error_after_the_first_rows_is_told_in_the_stream(streaming: RunningServer, encoding: str) -> None:
    connection = http.client.HTTPConnection(streaming.host, streaming.port, timeout=60)
    sql = "SELECT throwIf(number = 1500000, 'late') FROM numbers(2000000)"
    headers = _headers(streaming, "reader") | {"Accept-Encoding": encoding}
    connection.request("POST", "/?enable_http_compression=1", sql.encode(), headers)
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead) as broken:
        response.read()
    connection.close()
    data = broken.value.partial
    match encoding:
        case "lz4":
            data = lz4.frame.LZ4FrameDecompressor().decompress(data)
        case "zstd":
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        case "gzip":
            data = zlib.decompressobj(31).decompress(data)
    tag = response.headers["X-ClickHouse-Exception-Tag"].encode()
    assert b"__exception__\r\n" + tag in data
    assert b"Code: 395. DB::Exception: late" in data
    assert data.endswith(tag + b"\r\n__exception__\r\n")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client leaves its socket open
def test_clickhouse_connect_sees_a_late_error(streaming: RunningServer) -> None:
    with clickhouse_connect.get_client(**streaming.connect("reader")) as client:
        sql = "SELECT number, throwIf(number = 1500000, 'late') FROM numbers(2000000)"
        with pytest.raises(ClickHouseError, match="late"):
            _ = client.query(sql).result_rows
        with pytest.raises(ClickHouseError, match="late"), client.query_row_block_stream(sql) as blocks:
            for _ in blocks:
                pass
        assert client.command("SELECT 1") == 1
    gc.collect()  # what the client left open is found here, where it is expected


def test_an_early_error_has_its_status(clickhouse: RunningServer) -> None:
    connection = http.client.HTTPConnection(clickhouse.host, clickhouse.port, timeout=60)
    for sql, status, code in (
        ("SELECT throwIf(number = 10) FROM numbers(20)", 500, "395"),
        ("SELECT nosuchcolumn", 404, "47"),
        ("SELECT * FROM store.nosuchtable", 404, "60"),
        ("SELEC 1 FROM", 400, "62"),
        ("SELECT 1 FORMAT NoSuchFormat", 404, "73"),
        ("INSERT INTO store.nosuchtable VALUES (1)", 404, "60"),
    ):
        connection.request("POST", "/", sql.encode(), _headers(clickhouse, "owner"))
        response = connection.getresponse()
        body = response.read().decode()
        assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (status, code), body
        assert body.startswith(f"Code: {code}. DB::Exception: ")
    connection.close()


@pytest.mark.slow
def test_limits_of_time_memory_and_rows(tmp_path: Path) -> None:
    limits: dict[str, dict[str, float]] = {"reader": {"max_execution_time": 1}, "analyst": {
        "max_memory_usage": 200_000_000, "max_result_rows": 1000, "max_rows_to_read": 10**7,
        "max_concurrent_queries": 1, "queue_seconds": 0.2,
    }}  # fmt: skip
    with running_server(tmp_path, limits=limits) as server:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        slow = "SELECT max(arraySum(x -> sipHash64(x, number), range(20))) FROM numbers(9999999)"
        for account, sql, code in (
            ("analyst", "SELECT number FROM numbers(1001)", "396"),
            ("analyst", "SELECT count() FROM numbers(100000000)", "158"),
            ("analyst", "SELECT groupArray(repeat('x', 1000)) FROM numbers(9000000)", "241"),
            ("reader", slow, "159"),
        ):
            connection.request("POST", "/", sql.encode(), _headers(server, account))
            response = connection.getresponse()
            body = response.read().decode()
            assert response.headers["X-ClickHouse-Exception-Code"] == code, body
        with _asked(server, slow, "analyst"):
            assert _eventually(lambda: _running(server) == 1)
            connection.request("POST", "/", b"SELECT 1", _headers(server, "analyst"))
            response = connection.getresponse()
            assert (response.status, response.headers["X-ClickHouse-Exception-Code"]) == (503, "202"), response.read()
            # Nobody waits for an analyst but analysts.
            assert _drained(server, "SELECT 1") == 2
        connection.close()
