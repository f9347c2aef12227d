"""One process of the platform, as a value: what to run, after whom, and how to see that it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Probe(Protocol):
    """How to see that a process is ready."""

    async def answers(self) -> bool:
        """True when the process does its work now; False when it does not answer yet. Never raises for the latter."""
        ...


@dataclass(frozen=True)
class Process:
    """What to run and when it counts as running."""

    name: str
    """Names its log file and the lines about it."""
    command: tuple[str, ...]
    """The program, by path, and its arguments."""
    ready: Probe
    """Asked until it answers."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Set on top of the supervisor's own environment. May hold secrets, so it is left out of the repr."""
    depends_on: tuple[str, ...] = ()
    """Those that are ready before it starts and that stop only after it has stopped."""
    ports: tuple[int, ...] = ()
    """The TCP ports it listens on; they must be free before anything starts."""
    grace_seconds: float = 10.0
    """How long it may take to stop before it is killed."""


def ordered(processes: tuple[Process, ...]) -> tuple[Process, ...]:
    """The processes, each after all it depends on, otherwise in the order given.

    ValueError when a name is given twice, when a dependency is missing, or when they form a circle.
    """
    waiting = {process.name: process for process in processes}
    if len(waiting) != len(processes):
        raise ValueError("two processes have one name")
    done: dict[str, Process] = {}
    while waiting:
        free = [process for process in waiting.values() if all(name in done for name in process.depends_on)]
        if not free:
            raise ValueError(f"a dependency of {', '.join(sorted(waiting))} is missing or goes in a circle")
        done |= {process.name: process for process in free}
        waiting = {name: process for name, process in waiting.items() if name not in done}
    return tuple(done.values())
