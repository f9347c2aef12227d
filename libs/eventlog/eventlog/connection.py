"""The one place that talks to the server: raw replies in, this library's errors out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from eventlog.errors import BeyondEnd, CorruptEntry, EpochMismatch, LogError, LogFull, LogUnavailable

LIBRARY = resources.files("eventlog").joinpath("library.lua").read_text(encoding="utf-8")
"""The functions that run on the server."""
_CONNECTIONS = 32
"""Commands under way at once; the driver's pool would refuse the 101st instead of letting it wait."""

_AWAY = (RedisConnectionError, RedisTimeoutError, BusyLoadingError, MasterDownError, ReadOnlyError, OSError)
_BY_CODE: Mapping[str, type[LogError]] = {
    "EPOCH": EpochMismatch,
    "BEYOND": BeyondEnd,
    "CORRUPT": CorruptEntry,
    "LOADING": LogUnavailable,
    "BUSY": LogUnavailable,
    "MISCONF": LogUnavailable,
}


def _understood(error: BaseException, retry_after_s: float) -> LogError:
    if isinstance(error, OutOfMemoryError) or str(error).startswith("OOM"):
        return LogFull("the log server refuses writes: its memory is full", retry_after_s)
    if isinstance(error, _AWAY):
        return LogUnavailable(f"the log server is away: {type(error).__name__}")
    if "Function not found" in str(error):
        return EpochMismatch("the log server has lost the log's functions: it is not the one that was opened")
    code, _, text = str(error).partition(" ")
    return _BY_CODE.get(code, LogError)(text if code in _BY_CODE else str(error))


class Connection:
    """A pool of connections that never repeats a command by itself: the caller decides what an unknown outcome means.

    Errors: LogUnavailable, LogFull (the server's own refusal), EpochMismatch, BeyondEnd, CorruptEntry; LogError else.
    """

    def __init__(self, url: str, *, timeout_s: float, retry_after_s: float, library: str = LIBRARY) -> None:
        self._client = redis.asyncio.Redis.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )
        self._client.response_callbacks.clear()
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._timeout_s = timeout_s
        self._retry_after_s = retry_after_s
        self._library = library

    async def call(self, *command: str | bytes | int, wait_s: float = 0.0) -> Any:
        """The raw reply; `wait_s` is how long the command itself may block."""
        try:
            async with asyncio.timeout(self._timeout_s + wait_s), self._free:
                return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise _understood(error, self._retry_after_s) from error

    async def both(self, first: tuple[Any, ...], second: tuple[Any, ...], *, wait_s: float = 0.0) -> tuple[Any, Any]:
        """The raw replies of two commands sent together over one connection: both come from the same server."""
        try:
            async with (
                asyncio.timeout(self._timeout_s + wait_s),
                self._free,
                self._client.pipeline(transaction=False) as pipe,
            ):
                pipe.execute_command(*first)
                pipe.execute_command(*second)
                one, two = await pipe.execute()
                return one, two
        except (RedisError, OSError) as error:
            raise _understood(error, self._retry_after_s) from error

    async def load_library(self) -> None:
        """Bring the server's functions to this version; other layout versions have names of their own."""
        await self.call("FUNCTION", "LOAD", "REPLACE", self._library)

    async def settings(self, *names: str) -> dict[str, str]:
        """The server's configuration; unknown names are missing."""
        flat = [part.decode() for part in await self.call("CONFIG", "GET", *names)]
        return dict(zip(flat[::2], flat[1::2], strict=True))

    async def memory(self) -> tuple[int, int]:
        """Bytes the server uses, and may use."""
        text = (await self.call("INFO", "memory")).decode()
        numbers = dict(re.findall(r"^(used_memory|maxmemory):(\d+)\r?$", text, re.MULTILINE))
        return int(numbers["used_memory"]), int(numbers["maxmemory"])

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
