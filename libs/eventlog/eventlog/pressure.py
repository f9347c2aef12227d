"""The watermarks at which the log refuses new records, well before its server would have to stop."""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from eventlog.errors import LogFull


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things stay and when appends are refused. The defaults suit one city on one machine."""

    memory_fraction: float = 0.8
    """Share of the server's maxmemory from which appends are refused."""
    disk_reserve_bytes: int = 1 << 30
    """Free space that must remain on the log's disk, besides room for rewriting the append-only file once."""
    folder: Path | None = None
    """The folder of the server's files, if it is on this machine; None: the disk is watched elsewhere."""
    retry_after_s: float = 5.0
    """What a refused caller is told to wait."""
    sample_every_s: float = 0.5
    """How old a reading may be."""
    trim_after_ms: int = 3_600_000
    """Entries younger than this are never trimmed."""
    forget_after_ms: int = 72 * 3_600_000
    """Keys younger than this are never forgotten."""
    generation_ms: int = 72 * 3_600_000
    """Width of an index generation: keys are forgotten a generation at a time. As wide as the horizon means that two
    are looked through for every record, where 24 h would mean four; the price is that keys stay half a width longer
    than needed on average, a whole one at most."""
    call_timeout_s: float = 10.0
    """Deadline of one call to the server."""


class Reading(NamedTuple):
    """What was measured: bytes used and allowed on the server, bytes free on its disk (None: not watched)."""

    used: int
    allowed: int
    free: int | None


def refusal(reading: Reading, limits: Limits) -> str | None:
    """Why nothing may be appended now; None when there is room."""
    if reading.used >= reading.allowed * limits.memory_fraction:
        return f"the log server uses {reading.used} of {reading.allowed} bytes of memory"
    # Rewriting the append-only file writes all that is in memory once more before the old file goes.
    if reading.free is not None and reading.free < limits.disk_reserve_bytes + reading.used:
        return f"the disk of the log has {reading.free} bytes left"
    return None


def free_bytes(folder: Path) -> int:
    """Bytes an ordinary user can still write on the disk of `folder`."""
    return shutil.disk_usage(folder).free


class Pressure:
    """Looks at the server's memory and disk at most every `sample_every_s` and refuses appends at a watermark."""

    def __init__(
        self,
        limits: Limits,
        memory: Callable[[], Awaitable[tuple[int, int]]],
        disk: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._limits = limits
        self._memory = memory
        self._disk = disk
        self._taken = float("-inf")
        self._reason: str | None = None

    async def check(self) -> None:
        """Return when there is room; LogFull otherwise."""
        now = time.monotonic()
        if now - self._taken >= self._limits.sample_every_s:
            self._taken = now  # Before the await: callers that come meanwhile go by the last reading.
            used, allowed = await self._memory()
            folder = self._limits.folder
            free = self._disk(folder) if folder is not None else None
            self._reason = refusal(Reading(used, allowed, free), self._limits)
        if self._reason is not None:
            raise LogFull(self._reason, self._limits.retry_after_s)
