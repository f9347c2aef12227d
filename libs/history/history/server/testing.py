"""A real server in a process of its own, for the tests of whoever reads or writes the history.

Start-up takes about a second: share one per test session, each test with tables of its own.
"""

import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunningServer:
    """A server that answers. The accounts are named as their kinds: owner, writer, reader, analyst."""

    host: str
    port: int
    secrets: Mapping[str, str] = field(repr=False)
    process: "subprocess.Popen[bytes]"
    log: Path
    config: Path

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://{self.host}:{self.port}"

    def connect(self, account: str) -> dict[str, Any]:
        """Keyword arguments of clickhouse_connect.get_client for one of the accounts."""
        return {"host": self.host, "port": self.port, "username": account, "password": self.secrets[account]}

    def dsn(self, account: str, database: str) -> str:
        """The address of one account as CLICKHOUSE_URL and SQLAlchemy take it, without its scheme's variant."""
        return f"http://{account}:{self.secrets[account]}@{self.host}:{self.port}/{database}"


@contextlib.contextmanager
def running_server(
    folder: Path, *, limits: Mapping[str, Mapping[str, float]] | None = None, port: int = 0, **settings: Any
) -> Iterator[RunningServer]:
    """Start a server on `folder` and end it by force at the end; `limits` are by account. Data stays in `folder`.

    Entered again with the same folder it serves the same data with the same secrets. `settings` are further fields
    of the configuration. Raises RuntimeError with what the server wrote when it does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ("owner", "writer", "reader", "analyst")
    known = folder / "secrets.json"
    if not known.exists():
        known.touch(mode=0o600)
        known.write_text(json.dumps({kind: secrets.token_urlsafe(18) for kind in kinds}))
    passwords: dict[str, str] = json.loads(known.read_text())
    accounts = [
        {"name": kind, "secret": passwords[kind], "kind": kind, "limits": (limits or {}).get(kind, {})}
        for kind in kinds
    ]
    config = folder / "server.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps({"path": str(folder / "data"), "port": port, "accounts": accounts, **settings}))
    log = folder / "server.log"
    with log.open("a", encoding="utf-8") as output:
        at = output.tell()
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "history.server", "--config", str(config)], stdout=output, stderr=output
        )
    try:
        host, bound = _listening(process, log, at)
        yield RunningServer(host, bound, passwords, process, log, config)
    finally:
        process.kill()
        process.wait()


def _listening(process: "subprocess.Popen[bytes]", log: Path, at: int) -> tuple[str, int]:
    while True:
        ended = process.poll() is not None
        text = log.read_bytes()[at:].decode()
        for line in text.splitlines():
            if '"listening"' in line and line.endswith("}"):
                found = json.loads(line)
                return found["host"], found["port"]
        if ended:
            raise RuntimeError(f"the server did not start: {text}")
        time.sleep(0.02)
