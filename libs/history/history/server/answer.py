"""A result on its way to the caller: the engine writes it to a pipe in the format asked for, the pipe is sent on.

Nothing is kept: the engine waits while the pipe is full. Every format the engine has works, with its headers and
footers, totals and extremes, because the engine's own INTO OUTFILE writes it.
"""

import asyncio
import contextlib
import fcntl
import os
from typing import Self

_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


class Pipe:
    """A pipe from the engine to the event loop. `close_engine_end` must be called when the statement has ended."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        # Where the kernel's bound for the pipes of one user is reached, the usual 64 KiB will do.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._writer, _F_SETPIPE_SZ, _PIPE_BYTES)

    def clause(self, format_name: str) -> str:
        """What makes the engine write to this pipe, to be put behind a statement that has no FORMAT clause."""
        return f"\nINTO OUTFILE '/proc/self/fd/{self._writer}' APPEND FORMAT {format_name}"

    def feed(self, data: bytes) -> None:
        """Put in an answer that the engine gave whole; waits for the reader."""
        while data:
            data = data[os.write(self._writer, data) :]

    def close_engine_end(self) -> None:
        """Let the reader see the end. Called once, on any thread."""
        os.close(self._writer)

    async def read(self) -> bytes:
        """The next bytes, none at the end."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._reader, _PIPE_BYTES)
            except BlockingIOError:
                ready = loop.create_future()
                loop.add_reader(self._reader, _wake, ready)
                try:
                    await ready
                finally:
                    loop.remove_reader(self._reader)

    async def drain(self) -> None:
        """Read to the end and throw it away, so that a statement that is being stopped does not wait for a reader."""
        while await self.read():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reader)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
