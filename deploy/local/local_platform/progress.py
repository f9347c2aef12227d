"""Tells a person how the platform is doing: one moving line while it starts, plain lines for all that happens later."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class ConsoleReporter:
    """Reports to a console; without a terminal every step is a plain line. A context manager around the start."""

    def __init__(self, console: Console, names: tuple[str, ...]) -> None:
        self._console = console
        self._waiting = dict.fromkeys(names)
        self._count = len(names)
        self._status: Status | None = None
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status(self._line())
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def step(self, text: str) -> None:
        """Something that is done beside the processes."""
        if self._status is not None:
            self._status.update(text)
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """One plain line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def starting(self, name: str) -> None:
        """Nothing is said: the moving line names it already."""

    def ready(self, name: str, seconds: float, again: bool) -> None:
        """Moves the line on, or says that one is back."""
        self._waiting.pop(name, None)
        if self._status is not None:
            self._status.update(self._line())
        else:
            self._event(f"{name} {'is back' if again else 'is ready'} after {seconds:.1f} s")

    def died(self, name: str, code: int, delay: float, looping: bool, lines: list[str]) -> None:
        """Says so; when it keeps dying, with its last lines."""
        self._event(f"{name} ended with code {code}; it is started again in {delay:.1f} s")
        if looping:
            self._event(f"{name} keeps ending. Its last lines:")
            for line in lines:
                self.say(f"    {line}")

    def stopped(self, name: str, killed: bool) -> None:
        """Says so only when it had to be killed."""
        if killed:
            self._event(f"{name} did not stop in time and was killed")

    def _line(self) -> str:
        done = self._count - len(self._waiting)
        return f"starting {done}/{self._count}: waiting for {', '.join(self._waiting) or 'nothing more'}"

    def _event(self, text: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {text}")
