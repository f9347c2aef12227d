"""The whole platform for a test: started as a person starts it, in a folder and on ports of its own."""

import contextlib
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from local_platform.claim import is_free
from local_platform.settings import Ports

_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
_READY = "Parkmesh is ready"


def free_base() -> int:
    """A port from which on all that a platform needs are free; below those that systems hand out by themselves."""
    count = len(dataclasses.fields(Ports))
    while True:
        base = random.SystemRandom().randrange(20_000, 32_000)
        if all(is_free(port, "127.0.0.1") for port in range(base, base + count)):
            return base


class RunningPlatform:
    """A platform in a folder. It can be stopped or killed and started again; folder, ports and secrets stay."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        """Its runtime folder, `var/`."""
        self.output = folder / "up.log"
        """What a person would see on the terminal."""
        self.ports = Ports.counted_from(free_base())
        self.environ = {
            "PARKMESH_VAR": str(folder),
            "PARKMESH_PORT_BASE": str(self.ports.edge),
            **environ,
        }
        """On top of the environment."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def demo(self) -> dict[str, Any]:
        """What demo.json says."""
        read: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return read

    @property
    def supervisor(self) -> int:
        """The supervisor's pid. AssertionError when it is not running."""
        assert self._process is not None
        return self._process.pid

    def pid(self, name: str) -> int:
        """The pid that the process has now. KeyError while it is down."""
        read: dict[str, tuple[int, float]] = json.loads((self.folder / "run.json").read_text())
        return read[name][0]

    def start(self) -> None:
        """Starts it and waits until it says that it is ready. RuntimeError with its output when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local_platform"],
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + _START_SECONDS
        while _READY not in self.output.read_text():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the platform did not start:\n{self.output.read_text()}")
            time.sleep(0.05)

    def wait_back(self, name: str, former: int) -> int:
        """Waits until the process has another pid than the former one and says so; returns it. TimeoutError."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(KeyError, FileNotFoundError):
                if self.pid(name) != former and f"{name} is back" in self.output.read_text():
                    return self.pid(name)
            time.sleep(0.05)
        raise TimeoutError(f"{name} did not come back:\n{self.output.read_text()}")

    def stop(self) -> int:
        """Stops it as Ctrl-C does and returns the exit code. Nothing, and 0, when it is not running."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None
        return code

    def kill(self) -> None:
        """Kills the supervisor and waits until nothing of the platform runs. Nothing when it is not running."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            psutil.wait_procs(children, _STOP_SECONDS)
        self._process.wait()
        self._process = None


@contextlib.contextmanager
def running(folder: Path, **environ: str) -> Iterator[RunningPlatform]:
    """A platform that is ready, stopped at the end of the block, and killed when it does not stop."""
    platform = RunningPlatform(folder, **environ)
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()
