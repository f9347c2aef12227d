"""Where text goes: results to stdout, everything said on the way to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

_results = Console(soft_wrap=True)
_WIDTH: Final = 120
_remarks = Console(stderr=True, soft_wrap=True, highlight=False)


class Bar:
    """A bar that moves."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, steps: int = 1) -> None:
        """Some more is done."""
        self._progress.advance(self._task, steps)


def show(result: object) -> None:
    """Prints a result: a text as it is, or anything that Rich can draw."""
    _results.print(result, markup=False, highlight=False)


def show_table(table: Table) -> None:
    """Prints a table at the width of the terminal, and 120 columns wide where there is none."""
    console = _results if _results.is_terminal else Console(width=_WIDTH)
    console.print(table, markup=False, highlight=False, soft_wrap=False)


def say(remark: str) -> None:
    """Prints a remark for the person who watches."""
    _remarks.print(remark, markup=False)


@contextmanager
def bar(title: str, total: int) -> Iterator[Bar]:
    """A progress bar while the block runs, gone afterwards; nothing is drawn when nobody watches."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_remarks,
        transient=True,
        disable=not _remarks.is_terminal,
    )
    with progress:
        yield Bar(progress, progress.add_task(title, total=total))
