"""No child outlives its supervisor: Linux kills it at once, and elsewhere the next start ends what is left."""

import json
import os
import sys
from pathlib import Path

import psutil

from local_platform import launch


def bound_to_this_process(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, so run that Linux kills it when this process dies in any way. `Roll.sweep` does for the rest."""
    # Neither site-packages nor the environment's switches are needed to become the program: 10 ms instead of 30.
    return (sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), *command)


class Roll:
    """The file that says which processes run, by pid and start time, so that a reused pid is never taken for one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pids: dict[str, tuple[int, float]] = {}

    def enter(self, name: str, pid: int) -> None:
        """Notes that the process runs now."""
        try:
            self._pids[name] = (pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return
        self._write()

    def leave(self, name: str) -> None:
        """Notes that it has ended; nothing when it was never entered."""
        if self._pids.pop(name, None) is not None:
            self._write()

    def pids(self) -> dict[str, int]:
        """What runs now, by name."""
        return {name: pid for name, (pid, _) in self._pids.items()}

    def sweep(self) -> list[str]:
        """Kills what a supervisor that is no more has left, waits for its end, and returns the names."""
        try:
            left: dict[str, tuple[int, float]] = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return []
        swept = [name for name, (pid, created) in left.items() if _end(pid, created)]
        self._path.unlink(missing_ok=True)
        return swept

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._pids))
        fresh.replace(self._path)


def _end(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > 0.01:
            return False
        process.kill()
        process.wait(10)
    except psutil.NoSuchProcess:
        return False
    return True
