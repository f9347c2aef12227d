"""The client against a real engine: answers, deadlines, and errors that name no value."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from history.client import Account, HistoryClient
from history.errors import HistoryRejected, HistoryUnavailable, from_server
from history.rows import ProtobufTable, delimited
from history.server.testing import RunningServer

PLATE = "闽B7CANARY"
SLEEPING = "select sum(sleepEachRow(_)) from%"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8123",
        "clickhouse://h:9000",
        "http://",
        "http://u:secret@h:8123",
        "http://h:8123/x",
        "http://h?user=a",
    ],
)
def test_an_url_holds_scheme_host_and_port_only(url: str) -> None:
    with pytest.raises(ValueError, match="ClickHouse url") as caught:
        Account(url)
    assert "secret" not in str(caught.value)


def test_the_password_is_not_shown() -> None:
    assert "hidden" not in repr(Account("http://h:8123", password="hidden"))


def test_the_whole_account_in_one_address() -> None:
    account = Account.parse("https://wri%40ter:p%2Fw@h.example:9440/store")
    assert account == Account("https://h.example:9440", "wri@ter", "p/w", "store")
    assert Account.parse("http://h:8123") == Account("http://h:8123")
    with pytest.raises(ValueError, match="ClickHouse url") as caught:
        Account.parse("redis://u:hidden@h:8123")
    assert "hidden" not in str(caught.value)


async def test_rows_are_tuples_and_times_have_their_zone(client: HistoryClient) -> None:
    ((number, instant),) = await client.rows(
        "SELECT {n:UInt8}, toDateTime64({at:String}, 3, 'Asia/Shanghai')", {"n": 7, "at": "2100-01-02 03:04:05.678"}
    )
    assert number == 7
    assert instant.utcoffset() == timedelta(hours=8)
    assert instant.isoformat(timespec="milliseconds") == "2100-01-02T03:04:05.678+08:00"


async def test_a_value_is_bound_and_never_part_of_the_statement(client: HistoryClient) -> None:
    evil = "'; DROP TABLE t; --\\ \n\t闽"
    assert await client.rows("SELECT {value:String}", {"value": evil}) == [(evil,)]


async def test_a_large_result_streams_in_blocks(client: HistoryClient) -> None:
    seen, blocks = 0, 0
    async with client.blocks("SELECT number FROM numbers(200000)") as stream:
        async for rows in stream:
            seen += len(rows)
            blocks += 1
    assert seen == 200_000
    assert blocks > 1


async def test_protobuf_rows_arrive_and_fields_without_a_column_are_skipped(
    client: HistoryClient, database: str
) -> None:
    await client.execute(f"CREATE TABLE {database}.t (id String, n UInt64) ENGINE = MergeTree ORDER BY id")
    table = ProtobufTable(
        f"{database}.t",
        ("id", "n"),
        'syntax = "proto3";\nmessage Row { string id = 1; uint64 n = 2; string x = 3; }',
        "Row",
    )
    long = "é" * 3000  # longer than the table of one- and two-byte lengths
    messages = [b"\x0a\x01a\x10\x05\x1a\x01z", b"", b"\x0a" + bytes([0xF0, 0x2E]) + long.encode()]
    await client.insert(table, delimited(messages))
    assert await client.rows(f"SELECT * FROM {database}.t ORDER BY length(id)") == [("", 0), ("a", 5), (long, 0)]


async def test_one_damaged_row_refuses_the_insert_as_a_whole(client: HistoryClient, database: str) -> None:
    await client.execute(f"CREATE TABLE {database}.t (id String) ENGINE = MergeTree ORDER BY id")
    table = ProtobufTable(f"{database}.t", ("id",), 'syntax = "proto3"; message Row { string id = 1; }', "Row")
    with pytest.raises(HistoryRejected):
        await client.insert(table, delimited([b"\x0a\x01a", b"\x0a\x05cut"]))
    assert await client.rows(f"SELECT count() FROM {database}.t") == [(0,)]


async def test_rows_that_fail_only_when_they_are_stored_are_refused(client: HistoryClient, database: str) -> None:
    await client.execute(
        f"CREATE TABLE {database}.t (id String, CONSTRAINT known CHECK id != 'b') ENGINE = MergeTree ORDER BY id"
    )
    table = ProtobufTable(f"{database}.t", ("id",), 'syntax = "proto3"; message Row { string id = 1; }', "Row")
    with pytest.raises(HistoryRejected):
        await client.insert(table, delimited([b"\x0a\x01a", b"\x0a\x01b"]))
    assert await client.rows(f"SELECT count() FROM {database}.t") == [(0,)]


async def test_a_refusal_names_the_code_and_no_literal(client: HistoryClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="history")
    with pytest.raises(HistoryRejected) as caught:
        await client.rows(f"SELECT missing FROM system.one WHERE dummy = '{PLATE}'")
    assert caught.value.code == 47
    assert PLATE in caught.value.detail
    assert PLATE not in str(caught.value) + repr(caught.value) + caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_query_beyond_its_deadline_is_unavailable_and_ends_on_the_server(client: HistoryClient) -> None:
    with pytest.raises(HistoryUnavailable, match="deadline"):
        await client.rows("SELECT sum(sleepEachRow(1)) FROM numbers(60) SETTINGS max_block_size = 1", deadline=0.2)
    async with asyncio.timeout(10):
        while await client.rows("SELECT 1 FROM system.processes WHERE query ILIKE {like:String}", {"like": SLEEPING}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", ["reader", "analyst"])
async def test_a_read_only_account_can_ask(clickhouse: RunningServer, name: str) -> None:
    async with HistoryClient(Account(clickhouse.url, name, clickhouse.secrets[name], "parkmesh")) as reader:
        assert await reader.rows("SELECT {n:UInt8}", {"n": 7}, deadline=5) == [(7,)]
        async with reader.blocks("SELECT number FROM numbers(3)") as blocks:
            assert [row async for rows in blocks for row in rows] == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("code", "detail", "kind"),
    [
        (202, "Too many simultaneous queries", HistoryUnavailable),
        (241, "Memory limit exceeded", HistoryUnavailable),
        (252, "Too many parts (3000)", HistoryUnavailable),
        (252, "Too many partitions for single INSERT block (more than 1)", HistoryRejected),
        (60, "Unknown table", HistoryRejected),
        (516, "Authentication failed", HistoryRejected),
    ],
)
def test_what_may_pass_by_waiting_and_what_may_not(code: int, detail: str, kind: type[Exception]) -> None:
    error = from_server(code, detail)
    assert type(error) is kind
    assert detail not in str(error)


async def test_nobody_listening_is_unavailable_and_the_client_recovers_by_itself(owner: Account) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with HistoryClient(replace(owner, url=f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(HistoryUnavailable) as caught:
            await client.rows("SELECT 1")
        assert caught.value.code is None
        host, _, target = owner.url.removeprefix("http://").rpartition(":")
        relay = await asyncio.start_server(lambda r, w: _relay(r, w, host, int(target)), "127.0.0.1", port)
        async with relay:
            assert await client.rows("SELECT 1") == [(1,)]
            await client.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    upstream, downstream = await asyncio.open_connection(host, port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(pump(reader, downstream), pump(upstream, writer))


@pytest.fixture
async def mute_url() -> AsyncIterator[str]:
    """A server that accepts and never answers."""
    release = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        release.set()


async def test_a_server_that_never_answers_is_unavailable_within_the_deadline(mute_url: str) -> None:
    async with HistoryClient(Account(mute_url, deadline=0.3)) as client:
        async with asyncio.timeout(10):
            with pytest.raises(HistoryUnavailable, match="deadline"):
                await client.rows("SELECT 1")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\nnope", b"garbage\r\n\r\n", b""]
)
async def test_an_answer_that_is_not_clickhouse_is_unavailable(answer: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server, HistoryClient(Account(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")) as client:
        with pytest.raises(HistoryUnavailable):
            await client.rows("SELECT 1")


async def test_a_closed_client_opens_again(client: HistoryClient) -> None:
    await client.ping()
    await client.close()
    await client.close()
    await client.ping()


async def test_many_calls_share_one_pool(owner: Account) -> None:
    async with HistoryClient(replace(owner, connections=2)) as client:
        answers = await asyncio.gather(*(client.rows("SELECT {n:UInt8}", {"n": n}) for n in range(20)))
    assert answers == [[(n,)] for n in range(20)]
