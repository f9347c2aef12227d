"""The server's pure parts: cutting statements, encodings, settings, names of functions."""

import gzip
import io
import json
import os
import zlib
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from history.server import config, statement
from history.server.accounts import Accounts, credentials
from history.server.compression import Unpacked, packer, preferred
from history.server.failure import Failure

ANALYST = {"name": "a", "secret": "s", "kind": "analyst"}
GOOD = {"path": "/x", "accounts": [ANALYST]}


def _drained(body: Unpacked, size: int = 1 << 20) -> bytes:
    return b"".join(iter(lambda: body.read(size), b""))


@pytest.mark.parametrize(("sql", "verb", "format_name", "text"), [
    (b"SELECT 1", "SELECT", None, b"SELECT 1"),
    (b" select 1 ; ", "SELECT", None, b" select 1"),
    (b"SELECT 1 FORMAT JSON", "SELECT", "JSON", b"SELECT 1 "),
    (b"SELECT 1 format\n CSV ;\n", "SELECT", "CSV", b"SELECT 1 "),
    (b"SELECT 'FORMAT CSV'", "SELECT", None, b"SELECT 'FORMAT CSV'"),
    (b"SELECT 'a\\' FORMAT CSV'", "SELECT", None, b"SELECT 'a\\' FORMAT CSV'"),
    (b"SELECT `FORMAT` FROM \"FORMAT\"", "SELECT", None, b"SELECT `FORMAT` FROM \"FORMAT\""),
    (b"SELECT (SELECT 1 FORMAT CSV)", "SELECT", None, b"SELECT (SELECT 1 FORMAT CSV)"),
    (b"SELECT 1 -- FORMAT CSV", "SELECT", None, b"SELECT 1"),
    (b"/* FORMAT CSV */ SELECT 1 /* a * b */", "SELECT", None, b"/* FORMAT CSV */ SELECT 1"),
    (b"# x\nSELECT $a$ FORMAT CSV $a$", "SELECT", None, b"# x\nSELECT $a$ FORMAT CSV $a$"),
    (b"(SELECT 1) UNION ALL (SELECT 2)", "SELECT", None, b"(SELECT 1) UNION ALL (SELECT 2)"),
    (b"SELECT format FROM t FORMAT TSV", "SELECT", "TSV", b"SELECT format FROM t "),
    (b"SELECT 1 FORMAT JSON SETTINGS a = 1", "SELECT", None, b"SELECT 1 FORMAT JSON SETTINGS a = 1"),
    (b"", "", None, b""),
    (b";", "", None, b""),
    (b"SELECT '", "SELECT", None, b"SELECT '"),
])  # fmt: skip
def test_a_statement_is_cut(sql: bytes, verb: str, format_name: str | None, text: bytes) -> None:
    found = statement.read(sql)
    assert (found.verb, found.format, found.text, found.data_at) == (verb, format_name, text, None)


@pytest.mark.parametrize(("head", "data"), [
    (b"INSERT INTO t FORMAT Native\n", b"\x00\x01"),
    (b"INSERT INTO t (a, b) FORMAT CSV\r\n", b"1,2"),
    (b"INSERT INTO t (a, b) FORMAT CSV ", b"1,2"),
    (b"INSERT INTO t FORMAT TSV\n", b"\nSELECT 1"),
    (b"insert into t settings a = 'FORMAT CSV' format Protobuf\n", b"FORMAT CSV"),
    (b"INSERT INTO t /* SELECT */ FORMAT RowBinary;\n", b"x"),
    (b"INSERT INTO FUNCTION f('SELECT', (SELECT 1)) FORMAT TSV\n", b""),
    (b"INSERT INTO t VALUES", b" (1, 'FORMAT CSV')"),
])  # fmt: skip
def test_the_rows_of_an_insert_are_found(head: bytes, data: bytes) -> None:
    found = statement.read(head + data)
    assert found.data_at == len(head)
    assert found.format is not None


@pytest.mark.parametrize(("sql", "reading"), [
    (b"INSERT INTO t FORMAT CSV\n1", b"INSERT INTO t  FROM INFILE '/f'  FORMAT CSV"),
    (b"INSERT INTO t SETTINGS x = 1 FORMAT CSV\n1", b"INSERT INTO t  FROM INFILE '/f' SETTINGS x = 1  FORMAT CSV"),
    (b"INSERT INTO settings FORMAT CSV\n1", b"INSERT INTO settings  FROM INFILE '/f'  FORMAT CSV"),
    (b"INSERT INTO a.settings (a) FORMAT CSV\n1", b"INSERT INTO a.settings (a)  FROM INFILE '/f'  FORMAT CSV"),
    (b"INSERT INTO t VALUES (1)", b"INSERT INTO t  FROM INFILE '/f'  FORMAT Values"),
])  # fmt: skip
def test_an_insert_reads_its_rows_from_a_file(sql: bytes, reading: bytes) -> None:
    assert statement.read(sql).reading("/f") == reading


@pytest.mark.parametrize(
    "sql", [b"INSERT INTO t SELECT 1 FORMAT CSV", b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x"]
)
def test_an_insert_of_a_select_has_no_rows(sql: bytes) -> None:
    assert statement.read(sql).data_at is None


@pytest.mark.parametrize(("sql", "leaves"), [
    (b"SET a = 1", True), (b"USE x", True), (b"CREATE TEMPORARY TABLE x (a Int8)", True), (b"BEGIN TRANSACTION", True),
    (b"CREATE OR REPLACE TEMPORARY TABLE x (a Int8)", True), (b"SELECT 1", False), (b"CREATE TABLE x (a Int8)", False),
])  # fmt: skip
def test_statements_that_change_their_session_are_known(sql: bytes, leaves: bool) -> None:
    assert statement.read(sql).leaves_traces is leaves


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "zstd", "lz4"])
def test_what_is_packed_is_unpacked(encoding: str) -> None:
    data = os.urandom(200_000) + bytes(2_000_000)
    packing = packer(encoding)
    packed = b"".join([packing.pack(data[:100]), packing.pack(b""), packing.pack(data[100:]), packing.finish()])
    body = Unpacked(io.BytesIO(packed), encoding, len(data))
    assert _drained(body, 70_000) == data
    if encoding:
        for cut in (1, 100, len(packed) - 5):
            body = Unpacked(io.BytesIO(packed[:-cut]), encoding, len(data))
            with pytest.raises(Failure) as broken:
                _drained(body)
            assert broken.value.code == 271


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress), ("lz4", lz4.frame.compress),
])  # fmt: skip
def test_a_bomb_is_stopped_while_it_unfolds(encoding: str, pack: object) -> None:
    packed = pack(bytes(300_000_000))  # type: ignore[operator]
    body = Unpacked(io.BytesIO(packed), encoding, 1_000_000)
    with pytest.raises(Failure) as large:
        _drained(body)
    assert (large.value.code, large.value.status) == (307, 413)


def test_frames_in_a_row_are_one_body() -> None:
    for encoding, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress), ("lz4", lz4.frame.compress)):
        body = Unpacked(io.BytesIO(pack(b"one") + pack(b"") + pack(b"two" * 100)), encoding, 1000)
        assert _drained(body, 7) == b"one" + b"two" * 100


def test_an_empty_body_is_empty() -> None:
    assert Unpacked(io.BytesIO(b""), "", 0).read(10) == b""
    for encoding in ("snappy", "br", "gzip, gzip"):
        with pytest.raises(Failure):
            Unpacked(io.BytesIO(b""), encoding, 0)


@pytest.mark.parametrize(("accepted", "chosen"), [
    ("", ""), ("identity", ""), ("gzip, deflate", "gzip"), ("gzip;q=0, deflate", "deflate"), ("zstd, lz4, br", "lz4"),
    ("GZIP", "gzip"),
])  # fmt: skip
def test_the_best_encoding_is_chosen(accepted: str, chosen: str) -> None:
    assert preferred(accepted) == chosen


def test_settings_have_safe_defaults() -> None:
    settings = config.parse(GOOD)
    assert (settings.host, settings.port, settings.base, settings.published) == ("127.0.0.1", 8123, "store", "parkmesh")
    assert settings.tmp == Path("/x.tmp")
    (account,) = settings.accounts
    assert account.database == "parkmesh"
    assert account.limits.max_execution_time == 60
    assert "'s'" not in repr(settings)


@pytest.mark.parametrize("change", [
    {"path": None}, {"port": -1}, {"port": "8123"}, {"base": "parkmesh"}, {"base": "a b"}, {"published": "x`"},
    {"nonsense": 1}, {"accounts": [1]}, {"accounts": [ANALYST, ANALYST]},
    {"accounts": [{"name": "a", "secret": "s", "kind": "analyst", "database": "store"}]},
    {"accounts": [{"name": "a", "secret": "s", "kind": "analyst", "limits": {"max_execution_time": -1}}]},
    {"accounts": [{"name": "a", "secret": "s", "kind": "analyst", "limits": {"max_execution_tme": 1}}]},
    {"accounts": [{"name": "a", "secret": "s", "kind": "analyst", "limits": {"max_concurrent_queries": 0}}]},
    {"accounts": [{"name": "a:b", "secret": "s", "kind": "analyst"}]},
    {"accounts": [{"name": "a", "kind": "analyst"}]},
])  # fmt: skip
def test_a_wrong_setting_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(config.ConfigError) as wrong:
        config.parse(GOOD | change)
    assert "'s'" not in str(wrong.value)


def test_settings_come_from_the_environment() -> None:
    accounts = json.dumps(GOOD["accounts"])
    settings = config.from_environment(
        {"CLICKHOUSE_PATH": "/y", "CLICKHOUSE_PORT": "1", "CLICKHOUSE_ACCOUNTS": accounts}
    )
    assert (settings.path, settings.port) == (Path("/y"), 1)
    for broken in ({"CLICKHOUSE_PORT": "x"}, {"CLICKHOUSE_ACCOUNTS": "{"}, {}):
        with pytest.raises(config.ConfigError):
            config.from_environment({"CLICKHOUSE_PATH": "/y"} | broken)


def test_accounts_are_known_by_name_and_secret() -> None:
    accounts = Accounts(config.parse(GOOD).accounts)
    assert accounts.authenticate("a", "s") is not None
    for name, secret in (("a", ""), ("a", "S"), ("b", "s"), ("", ""), ("a", "s\udcff")):
        assert accounts.authenticate(name, secret) is None
    assert "'s'" not in repr(vars(accounts)["_key"])


@pytest.mark.parametrize(("headers", "query", "found"), [
    ({"Authorization": "Basic YTpiOmM="}, {"user": "x", "password": "y"}, ("a", "b:c")),
    ({"Authorization": "basic YTo="}, {}, ("a", "")),
    ({"Authorization": "Basic !!!"}, {"user": "x", "password": "y"}, ("", "")),
    ({"X-ClickHouse-User": "u", "X-ClickHouse-Key": "k"}, {"user": "x"}, ("u", "k")),
    ({}, {"user": "x", "password": "y"}, ("x", "y")),
    ({"Authorization": "Bearer t"}, {}, ("", "")),
    ({}, {}, ("", "")),
])  # fmt: skip
def test_credentials_are_found(headers: dict[str, str], query: dict[str, str], found: tuple[str, str]) -> None:
    assert credentials(headers, query) == found
