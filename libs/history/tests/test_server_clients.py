"""The clients that people use work as with any ClickHouse: clickhouse-connect, SQLAlchemy and curl."""

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.compression import get_compressor
from clickhouse_connect.driver.exceptions import ClickHouseError
from history.server import VIEW_RIGHTS
from history.server.testing import RunningServer
from sqlalchemy import create_engine, inspect, text

_numbers = itertools.count()
PROTO = 'syntax = "proto3"; message Row { uint64 n = 1; string word = 2; }'


@pytest.fixture
def owner(clickhouse: RunningServer) -> Iterator[Client]:
    with clickhouse_connect.get_client(**clickhouse.connect("owner")) as client:
        yield client


@pytest.fixture
def table(owner: Client) -> Iterator[str]:
    name = f"store.clients{next(_numbers)}"
    owner.command(f"CREATE TABLE {name} (n UInt64, word String) ENGINE = MergeTree ORDER BY n")
    yield name
    owner.command(f"DROP TABLE {name}")


def _protobuf(rows: int) -> bytes:
    def one(n: int) -> bytes:
        word = f"词{n}".encode()
        body = b"\x08" + _varint(n) + b"\x12" + _varint(len(word)) + word
        return _varint(len(body)) + body

    return b"".join(one(n) for n in range(1, rows + 1))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _count(owner: Client, table: str) -> object:
    return owner.query(f"SELECT count(), sum(n) FROM {table}").result_rows[0]


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_sync_client(clickhouse: RunningServer, table: str, owner: Client, compress: str | bool) -> None:
    with clickhouse_connect.get_client(**clickhouse.connect("writer"), compress=compress) as writer:
        summary = writer.insert(table, [[n, f"字{n}"] for n in range(1000)], column_names=["n", "word"])
        assert summary.written_rows == 1000
        assert writer.query(f"SELECT n, word FROM {table} ORDER BY n LIMIT 2").result_rows == [(0, "字0"), (1, "字1")]
        frame = writer.query_df(f"SELECT n, word FROM {table} ORDER BY n")
        assert list(frame["n"]) == list(range(1000))
        assert writer.query_arrow(f"SELECT n FROM {table}").num_rows == 1000
        assert len(writer.query("SELECT number, toString(number) FROM numbers(100000)").result_rows) == 100000
        writer.insert_arrow(table, pa.table({"n": pa.array([5000], pa.uint64()), "word": ["x"]}))
        writer.insert_df(table, frame.head(3))
    assert _count(owner, table) == (1004, 499500 + 5000 + 3)


async def test_async_client(clickhouse: RunningServer, table: str) -> None:
    client = await clickhouse_connect.get_async_client(**clickhouse.connect("writer"))
    async with client:
        await client.insert(table, [[1, "a"], [2, "b"]], column_names=["n", "word"])
        await client.raw_insert(table, ["n", "word"], b"3,c\n", fmt="CSV")
        result = await client.query(f"SELECT word FROM {table} WHERE n >= {{n:UInt64}} ORDER BY n", parameters={"n": 2})
        assert result.result_rows == [("b",), ("c",)]
        assert (await client.query_arrow("SELECT number FROM numbers(70000)")).num_rows == 70000
        async with await client.query_row_block_stream("SELECT number FROM numbers(200000)") as blocks:
            assert sum([len(block) async for block in blocks]) == 200000
        with pytest.raises(ClickHouseError, match="UNKNOWN_TABLE"):
            await client.query("SELECT * FROM store.nosuchtable")


@pytest.mark.parametrize("compression", [None, "lz4", "zstd", "gzip"])
def test_raw_inserts(clickhouse: RunningServer, table: str, owner: Client, compression: str | None) -> None:
    settings = {
        "format_schema_source": "string",
        "format_schema": PROTO,
        "format_schema_message_name": "Row",
    }
    native = owner.raw_query("SELECT 2000 + number AS n, 'w' AS word FROM numbers(10)", fmt="Native")
    arrow = owner.raw_query("SELECT 3000 + number AS n, 'w' AS word FROM numbers(10)", fmt="ArrowStream")
    with clickhouse_connect.get_client(**clickhouse.connect("writer")) as writer:
        for fmt, block, own in (
            ("Protobuf", _protobuf(1000), settings),
            ("Native", native, {}),
            ("ArrowStream", arrow, {}),
        ):
            sent = _compressed(block, compression)
            summary = writer.raw_insert(table, ["n", "word"], sent, own, fmt, compression)
            assert summary.written_rows == (1000 if fmt == "Protobuf" else 10)
    assert _count(owner, table) == (1020, 500500 + 20045 + 30045)
    assert owner.command(f"SELECT word FROM {table} WHERE n = 1000") == "词1000"


def _compressed(data: bytes, compression: str | None) -> bytes:
    compressor = get_compressor(compression)
    return bytes(compressor.compress_block(data)) + (compressor.flush() or b"")  # type: ignore[no-untyped-call]


def test_inserts_written_as_statements(table: str, owner: Client) -> None:
    owner.command(f"INSERT INTO {table} VALUES (1, 'a;b'), (2, now()::String), (3, 'FORMAT CSV')")
    owner.command(f"INSERT INTO {table} (n, word) SELECT number + 4, 'x' FROM numbers(3)")
    owner.command(f"INSERT INTO {table} VALUES ({{n:UInt64}}, {{w:String}})", parameters={"n": 7, "w": "it's"})
    owner.command(f"INSERT INTO {table} FORMAT JSONEachRow", data='{"n": 8, "word": "y"}\n{"n": 9, "word": "z"}')
    owner.command(f"INSERT INTO {table} SETTINGS input_format_null_as_default = 1 FORMAT CSV", data="10,q\n")
    assert _count(owner, table) == (10, 55)
    assert owner.query(f"SELECT word FROM {table} WHERE n = 7").result_rows == [("it's",)]


def test_a_broken_insert_stores_nothing(clickhouse: RunningServer, table: str, owner: Client) -> None:
    with clickhouse_connect.get_client(**clickhouse.connect("writer")) as writer:
        for fmt, block in (
            ("CSV", b"1,a\nx,b\n"),
            ("Native", b"\x02\x01\x01nothing"),
            ("JSONEachRow", b'{"n": 1}{"n": '),
        ):
            with pytest.raises(ClickHouseError):
                writer.raw_insert(table, ["n", "word"], block, fmt=fmt)
        for compression in ("lz4", "zstd", "gzip"):
            cut = _compressed(b"".join(b"%d,a\n" % n for n in range(100000)), compression)[:-20]
            with pytest.raises(ClickHouseError, match="CANNOT_DECOMPRESS"):
                writer.raw_insert(table, ["n", "word"], cut, fmt="CSV", compression=compression)
        assert writer.insert(table, [[1, "a"]], column_names=["n", "word"]).written_rows == 1
    assert _count(owner, table) == (1, 1)


@pytest.mark.parametrize("account", ["owner", "writer"])
def test_rows_that_cannot_be_stored_are_refused(clickhouse: RunningServer, owner: Client, account: str) -> None:
    table = f"store.refusing{next(_numbers)}"
    owner.command(
        f"CREATE TABLE {table} (n UInt64, CONSTRAINT small CHECK n < 1000) ENGINE = MergeTree PARTITION BY n ORDER BY n"
    )
    with clickhouse_connect.get_client(**clickhouse.connect(account)) as client:
        for numbers, code in (([1, 5000], "469"), (list(range(500)), "252")):
            for fmt, block in (
                ("CSV", b"".join(b"%d\n" % n for n in numbers)),
                ("Values", b",".join(b"(%d)" % n for n in numbers)),
            ):
                with pytest.raises(ClickHouseError, match=code):
                    client.raw_insert(table, ["n"], block, fmt=fmt)
            with pytest.raises(ClickHouseError, match=code):
                client.insert(table, [[n] for n in numbers], column_names=["n"])
        own = {"max_partitions_per_insert_block": 1000}
        assert client.raw_insert(table, ["n"], b"1\n2\n", own, "CSV").written_rows == 2
    assert _count(owner, table) == (2, 3)
    owner.command(f"DROP TABLE {table}")


def test_streams(clickhouse: RunningServer) -> None:
    with clickhouse_connect.get_client(**clickhouse.connect("reader")) as reader:
        with reader.query_row_block_stream("SELECT number FROM numbers(300000)") as blocks:
            assert sum(map(len, blocks)) == 300000
        with reader.query_arrow_stream("SELECT number FROM numbers(300000)") as batches:
            assert sum(batch.num_rows for batch in batches) == 300000
        with reader.raw_stream("SELECT number FROM numbers(300000)", fmt="CSV") as stream:
            assert sum(1 for _ in stream) == 300000
        with reader.query_df_stream("SELECT number FROM numbers(100000)") as frames:
            assert sum(map(len, frames)) == 100000


def test_settings_stay_with_their_request(clickhouse: RunningServer) -> None:
    with clickhouse_connect.get_client(**clickhouse.connect("reader")) as reader:
        for _ in range(3):
            assert reader.command("SELECT getSetting('max_block_size')", settings={"max_block_size": 77}) == 77
            assert reader.command("SELECT getSetting('max_block_size')") != 77
    with clickhouse_connect.get_client(**clickhouse.connect("owner")) as owner:
        owner.command("SET max_block_size = 78")
        owner.command("USE system")
        owner.command("CREATE TEMPORARY TABLE fleeting (x Int8)")
        assert owner.command("SELECT getSetting('max_block_size'), currentDatabase()") != ["78", "system"]
        assert owner.command("EXISTS TEMPORARY TABLE fleeting") == 0


@pytest.mark.parametrize("account", ["analyst", "reader"])
def test_sqlalchemy_as_superset_uses_it(clickhouse: RunningServer, table: str, owner: Client, account: str) -> None:
    view = f"seen_by_superset_{next(_numbers)}"
    owner.command(f"INSERT INTO {table} VALUES (1, 'a'), (2, 'b')")
    owner.command(f"CREATE VIEW parkmesh.{view} {VIEW_RIGHTS} AS SELECT n, word FROM {table}")
    engine = create_engine(
        f"clickhousedb://{account}:{clickhouse.secrets[account]}@{clickhouse.host}:{clickhouse.port}/parkmesh"
    )
    with engine.connect() as connection:
        inspector = inspect(connection)
        assert "parkmesh" in inspector.get_schema_names()
        assert ("store" in inspector.get_schema_names()) == (account != "analyst")
        assert view in inspector.get_table_names("parkmesh")
        assert view in inspector.get_view_names("parkmesh")
        assert inspector.has_table(view, "parkmesh")
        assert not inspector.has_table("nosuchtable", "parkmesh")
        assert [column["name"] for column in inspector.get_columns(view, "parkmesh")] == ["n", "word"]
        assert inspector.get_indexes(view, "parkmesh") == []
        assert inspector.get_pk_constraint(view, "parkmesh")["constrained_columns"] == []
        rows = connection.execute(text(f"SELECT word, sum(n) AS s FROM {view} WHERE n > :n GROUP BY word"), {"n": 1})
        assert rows.fetchall() == [("b", 2)]
    engine.dispose()
    owner.command(f"DROP VIEW parkmesh.{view}")


def _curl(clickhouse: RunningServer, *arguments: str) -> tuple[str, str]:
    done = subprocess.run(["curl", "-s", "-i", "-m", "30", *arguments], capture_output=True, check=True)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    return head, body


def test_curl(clickhouse: RunningServer) -> None:
    url, secret = clickhouse.url, clickhouse.secrets["analyst"]
    keys = ("-H", "X-ClickHouse-User: analyst", "-H", f"X-ClickHouse-Key: {secret}")
    for arguments, body in (
        ((f"{url}/ping",), "Ok.\n"),
        ((f"{url}/",), "Ok.\n"),
        ((f"{url}/replicas_status",), "Ok.\n"),
        (("-u", f"analyst:{secret}", f"{url}/?query=SELECT%201"), "1\n"),
        ((*keys, "--data-binary", "SELECT 1 AS a FORMAT JSONEachRow", url), '{"a":1}\n'),
        ((*keys, "-H", "X-ClickHouse-Format: CSV", "--data-binary", "SELECT 'a'", url), '"a"\n'),
        ((*keys, "-d", "1", f"{url}/?query=SELECT"), "1\n"),
        ((*keys, "-F", "query=SELECT {x:UInt8} + 1", "-F", "param_x=4", url), "5\n"),
        ((*keys, "--compressed", f"{url}/?enable_http_compression=1&query=SELECT%202"), "2\n"),
        ((f"{url}/?user=analyst&password={secret}&query=SELECT%203&default_format=TSVWithNames",), "3\n3\n"),
    ):
        head, got = _curl(clickhouse, *arguments)
        assert head.startswith("HTTP/1.1 200"), (arguments, head)
        assert got == body
    head, body = _curl(clickhouse, *keys, "--data-binary", "SELECT 1 FORMAT CSVWithNames", f"{url}/?query_id=q-1")
    assert "X-ClickHouse-Query-Id: q-1" in head
    assert "X-ClickHouse-Format: CSVWithNames" in head
    assert body == '"1"\n1\n'


def test_a_wrong_name_or_secret_is_refused(clickhouse: RunningServer) -> None:
    url = f"{clickhouse.url}/?query=SELECT%201"
    for who in ("analyst:", "analyst:wrong", f"nobody:{clickhouse.secrets['analyst']}", "default:", ":", "owner:owner"):
        head, body = _curl(clickhouse, "-u", who, url)
        assert head.startswith("HTTP/1.1 403"), who
        assert "X-ClickHouse-Exception-Code: 516" in head
        assert "AUTHENTICATION_FAILED" in body
    head, _ = _curl(clickhouse, url)
    assert head.startswith("HTTP/1.1 403")


def test_get_only_reads(clickhouse: RunningServer, table: str, owner: Client) -> None:
    secret = clickhouse.secrets["owner"]
    for sql in (f"INSERT%20INTO%20{table}%20VALUES%20(1,'a')", f"DROP%20TABLE%20{table}", f"TRUNCATE%20{table}"):
        head, _ = _curl(clickhouse, "-u", f"owner:{secret}", f"{clickhouse.url}/?query={sql}")
        assert head.startswith("HTTP/1.1 403"), head
    assert _count(owner, table) == (0, 0)


def test_nothing_of_a_statement_is_logged(clickhouse: RunningServer, table: str) -> None:
    canary = "闽B12345"
    with clickhouse_connect.get_client(**clickhouse.connect("writer")) as writer:
        writer.insert(table, [[1, canary]], column_names=["n", "word"])
        assert writer.query(f"SELECT '{canary}' AS word").result_rows == [(canary,)]
        writer.query(f"SELECT n FROM {table} WHERE word = {{w:String}}", parameters={"w": canary})
        for sql in (f"SELECT nosuch('{canary}')", f"SELEC '{canary}'", f"SELECT throwIf(1, '{canary}')"):
            with pytest.raises(ClickHouseError):
                writer.command(sql)
        with pytest.raises(ClickHouseError):
            writer.raw_insert(table, ["n", "word"], f"{canary},{canary}\n".encode(), fmt="CSV")
    log = Path(clickhouse.log).read_text()
    assert '"account": "writer"' in log
    assert canary not in log
    assert "B12345" not in log
    assert "SELECT 1" not in log
