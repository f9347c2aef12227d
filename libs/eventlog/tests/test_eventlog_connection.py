"""What the connection must not do behind its caller's back."""

from __future__ import annotations

import asyncio

import pytest
from eventlog import LogUnavailable
from eventlog.connection import Connection


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
