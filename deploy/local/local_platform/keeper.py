"""Keeps one process running: starts it, sees that it is ready, writes its log, restarts it when it dies, stops it."""

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local_platform.logfile import LogFile
from local_platform.orphan import Roll, bound_to_this_process
from local_platform.process import Process

_CHUNK = 1 << 16


class StartFailed(Exception):  # noqa: N818  it is what happened, and the message says to whom
    """A process did not become ready when the platform started; the message holds its last lines."""


class Reporter(Protocol):
    """Who is told what happens to the processes."""

    def starting(self, name: str) -> None:
        """It has been started."""

    def ready(self, name: str, seconds: float, again: bool) -> None:
        """It answers, so many seconds after its start; `again` when it had died before."""

    def died(self, name: str, code: int, delay: float, looping: bool, lines: list[str]) -> None:
        """It ended by itself and is started again after the delay; `looping` when it keeps dying."""

    def stopped(self, name: str, killed: bool) -> None:
        """It was stopped as asked; `killed` when it did not end by itself in time."""


@dataclass(frozen=True)
class Patience:
    """When to try again and when to give up. All in seconds."""

    first_delay: float = 0.2
    """Before the first restart; doubled for each further one."""
    longest_delay: float = 10.0
    """No restart waits longer."""
    steady: float = 30.0
    """One that has been ready for so long has its earlier deaths forgiven."""
    looping_deaths: int = 4
    """So many deaths in a row are a crash loop; during the first start they end the start."""
    start: float = 60.0
    """The time one process may take to become ready."""
    between_probes: float = 0.05
    """The pause between two questions whether it is ready."""


class Keeper:
    """One process's life. `run` is its task; `is_ready` is set while it answers."""

    def __init__(self, process: Process, folder: Path, roll: Roll, reporter: Reporter, patience: Patience) -> None:
        self.process = process
        self.is_ready = asyncio.Event()
        self._log = LogFile(folder / "logs" / f"{process.name}.log")
        self._folder = folder
        self._roll = roll
        self._reporter = reporter
        self._patience = patience
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._was_ready = False

    async def run(self) -> None:
        """Keeps the process running until `stop`. StartFailed when it never becomes ready."""
        deaths = 0
        while not self._stopping:
            started = time.monotonic()
            code = await self._live()
            if self._stopping:
                return
            deaths = 1 if time.monotonic() - started > self._patience.steady else deaths + 1
            looping = deaths >= self._patience.looping_deaths
            if looping and not self._was_ready:
                raise StartFailed(self._why(f"ended with code {code}, {deaths} times in a row"))
            delay = min(self._patience.first_delay * 2 ** (deaths - 1), self._patience.longest_delay)
            self._reporter.died(self.process.name, code, delay, looping, self._log.last_lines())
            await asyncio.sleep(delay)

    async def stop(self) -> None:
        """Ends the process with SIGTERM, and with SIGKILL when that takes longer than its grace."""
        self._stopping = True
        child = self._child
        if child is None:
            return
        _signal(child, signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), self.process.grace_seconds)
        except TimeoutError:
            self.kill()
            await child.wait()
        self._reporter.stopped(self.process.name, child.returncode == -signal.SIGKILL)

    def kill(self) -> None:
        """Ends the process at once; a `stop` that waits for it then returns."""
        if self._child is not None:
            _signal(self._child, signal.SIGKILL)

    def close(self) -> None:
        """Closes the log file; for after the end of `run`. Allowed twice."""
        self._log.close()

    async def _live(self) -> int:
        """One life, from start to end; returns the exit code (negative: the signal)."""
        started = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *bound_to_this_process(self.process.command),
            env={**os.environ, **self.process.env},
            cwd=self._folder,  # what an engine drops beside itself belongs there and not into the repository
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C goes to the supervisor alone, which stops the others in order
        )
        self._child = child
        self._roll.enter(self.process.name, child.pid)
        self._reporter.starting(self.process.name)
        writing = asyncio.create_task(self._write_log(child))
        waiting = asyncio.create_task(self._wait_ready(child, started))
        try:
            code = await child.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writing, 1)
            return code
        finally:
            _signal(child, signal.SIGKILL)  # what it started itself ends with it
            self.is_ready.clear()
            self._child = None
            self._roll.leave(self.process.name)
            waiting.cancel()
            writing.cancel()
            await asyncio.gather(waiting, writing, return_exceptions=True)

    async def _wait_ready(self, child: asyncio.subprocess.Process, started: float) -> None:
        while child.returncode is None:
            if await self.process.ready.answers():
                self._reporter.ready(self.process.name, time.monotonic() - started, self._was_ready)
                self._was_ready = True
                self.is_ready.set()
                return
            await asyncio.sleep(self._patience.between_probes)

    async def _write_log(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while chunk := await child.stdout.read(_CHUNK):
            self._log.write(chunk)

    def why_not_ready(self) -> str:
        """What to tell when the start took too long."""
        return self._why(f"was not ready after {self._patience.start:.0f} s")

    def _why(self, what: str) -> str:
        lines = "\n".join(f"  {line}" for line in self._log.last_lines())
        return f"{self.process.name} {what}; its last lines ({self._log.path}):\n{lines}"


def _signal(child: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)
