"""How the figures are told: a table for a person, a file for everything else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.table import Table

from .figures import Figures

_CPU = ".cpu."


def show(figures: Figures, console: Console) -> None:
    """Prints the facts, one line for each figure, and where each run's processor time went."""
    for name, fact in figures.facts.items():
        console.print(f"{name}: {fact}", highlight=False, soft_wrap=True)
    table = Table(title="Medians of interleaved repeats")
    for heading, justify in _COLUMNS.items():
        table.add_column(heading, justify=justify, no_wrap=True)
    costs: dict[str, dict[str, float]] = {}
    for name, figure in figures.by_name.items():
        if _CPU in name:
            run, _, process = name.partition(_CPU)
            costs.setdefault(run, {})[process] = figure.value
            continue
        least, greatest = figure.spread
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        values = (_number(value) for value in (figure.value, least, greatest))
        table.add_row(name, figure.unit, *values, ratio, str(len(figure.values)))
    console.print(table)
    if costs:
        console.print(_split(costs))


_COLUMNS: Final[Mapping[str, Literal["left", "right"]]] = {
    "figure": "left",
    "unit": "left",
    "median": "right",
    "least": "right",
    "greatest": "right",
    "÷ bare": "right",
    "repeats": "right",
}


def _split(costs: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table("run", title="Processor seconds per million records")
    processes = [
        name for name in next(iter(costs.values())) if any(_shown(cost.get(name, 0)) for cost in costs.values())
    ]
    for process in processes:
        table.add_column(process.replace("-", "-\n"), justify="right", no_wrap=True)
    table.add_column("sum", justify="right", no_wrap=True)
    for run, cost in costs.items():
        table.add_row(run, *(_shown(cost.get(name, 0)) for name in processes), _shown(sum(cost.values())))
    return table


def _shown(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= _LEAST_SHOWN else ""


_LEAST_SHOWN: Final = 0.5


def write(figures: Figures, path: Path) -> None:
    """Writes the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(figures.document(), indent=2, ensure_ascii=False) + "\n")
    fresh.replace(path)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
