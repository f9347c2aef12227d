"""What the connection must not do behind its caller's back."""

from __future__ import annotations

import asyncio

import pytest
from eventlog import LogUnavailable
from eventlog.connection import Connection
from eventlog.server import EmbeddedServer


async def test_a_command_is_never_sent_twice() -> None:
    """A server that hangs up on the first real command: whether it took effect is for the caller to find out."""
    writes: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if b"XADD" in data:
                writes.append(data)
                break
            writer.write(b"+OK\r\n" * data.count(b"*"))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(f"redis://127.0.0.1:{port}", timeout_s=5, retry_after_s=1)
        with pytest.raises(LogUnavailable):
            await connection.call("XADD", "stream", "*", "field", "value")
        assert len(writes) == 1
        with pytest.raises(LogUnavailable):
            await connection.both(("XADD", "one"), ("PING",))
        assert len(writes) == 2
        await connection.close()


async def test_more_commands_at_once_than_connections_wait_for_each_other(server: EmbeddedServer) -> None:
    connection = Connection(server.url, timeout_s=30, retry_after_s=1)
    try:
        many = [connection.call("ECHO", str(number)) for number in range(300)]
        assert await asyncio.gather(*many) == [str(number).encode() for number in range(300)]
        assert int(dict(await _clients(connection))["connected_clients"]) < 100
    finally:
        await connection.close()


async def test_a_command_given_up_leaves_no_answer_to_the_next(server: EmbeddedServer) -> None:
    connection = Connection(server.url, timeout_s=30, retry_after_s=1)
    try:
        for turn in range(200):
            left = asyncio.create_task(connection.call("ECHO", f"left-{turn}"))
            for _ in range(turn % 12):
                await asyncio.sleep(0)
            left.cancel()
            assert await connection.call("ECHO", str(turn)) == str(turn).encode()
            await asyncio.gather(left, return_exceptions=True)
    finally:
        await connection.close()


async def _clients(connection: Connection) -> list[list[str]]:
    text = (await connection.call("INFO", "clients")).decode()
    return [line.split(":") for line in text.split() if ":" in line]
