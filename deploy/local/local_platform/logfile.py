"""A child's log file: appended to, turned over by size, its last lines at hand for whoever asks why it died."""

from collections import deque
from pathlib import Path

KEPT_LINES = 10
SHOWN_CHARACTERS = 600


class LogFile:
    """`<name>.log` and its predecessors `.1`, `.2` …; `.1` is the youngest."""

    def __init__(self, path: Path, *, maximum_bytes: int = 20 << 20, predecessors: int = 2) -> None:
        self.path = path
        self._maximum = maximum_bytes
        self._predecessors = predecessors
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._last: deque[bytes] = deque(maxlen=KEPT_LINES)
        self._partial = b""

    def write(self, chunk: bytes) -> None:
        """Appends what the child wrote; turns the file over, at a line's end, once it is too large."""
        self._file.write(chunk)
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        self._last.extend(lines)
        if not self._partial and self._file.tell() >= self._maximum:
            self._turn_over()

    def last_lines(self) -> list[str]:
        """The last lines that the child wrote, the oldest first, each cut to what a screen can take."""
        lines = [*self._last, self._partial] if self._partial else list(self._last)
        return [line.decode(errors="replace")[:SHOWN_CHARACTERS] for line in lines]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _turn_over(self) -> None:
        self._file.close()
        for number in range(self._predecessors, 0, -1):
            younger = self._aged(number - 1)
            if younger.exists():
                younger.replace(self._aged(number))
        self._file = self.path.open("ab", buffering=0)

    def _aged(self, number: int) -> Path:
        return self.path.with_suffix(f".log.{number}") if number else self.path
