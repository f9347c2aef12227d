"""Runs the bench: `python -m tests.bench [--repeats N] [--only NAME] [--quick]`."""

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from . import footprint, report, upload
from .city import City
from .figures import Figures
from .ledger import Void
from .register import filled
from .repeat import FULL, QUICK, Repeat
from .scenarios import LONG, SCENARIOS
from .stage import staged

_REPEATS: Final = 3
_WIDTH: Final = 140
"""Of what goes into a file or a pipe."""
_LONGEST_S: Final = {False: 690.0, True: 120.0}
"""After this long no further repeat is begun, quick or not."""


def main() -> int:
    """The exit code: 1 when a run's books do not balance, and nothing is written then."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures a whole platform on this machine.")
    parser.add_argument("--repeats", type=int, default=_REPEATS, help="rounds of all scenarios (default: %(default)s)")
    parser.add_argument(
        "--only", action="append", choices=[*SCENARIOS, *LONG, "footprint"], help="may be given repeatedly"
    )
    parser.add_argument("--quick", action="store_true", help="one small round, to see that everything works")
    parser.add_argument("--output", type=Path, default=Path("var") / "bench.json", help="(default: %(default)s)")
    asked = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    chosen = asked.only or [*SCENARIOS, "footprint"]
    try:
        figures = asyncio.run(measure(chosen, 1 if asked.quick else asked.repeats, asked.quick, asked.output, console))
    except Void as void:
        console.print(f"void: {void}", markup=False)
        return 1
    report.show(figures, console)
    report.write(figures, asked.output)
    console.print(f"written to {asked.output}", markup=False)
    return 0


async def measure(chosen: list[str], repeats: int, quick: bool, output: Path, console: Console) -> Figures:
    """The figures of the chosen scenarios. Void, and no figures at all, when a run's books do not balance."""
    extent = QUICK if quick else FULL
    begun = time.monotonic()
    figures = Figures()
    output.parent.mkdir(parents=True, exist_ok=True)
    console.print(f"starting a platform and registering {extent.lots} lots")
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(
            staged(output.parent.absolute(), extent.lots, twice="footprint" in chosen)
        )
        await footprint.machine(stage, figures)
        if "footprint" in chosen:
            footprint.idle(stage, figures)
        repeat = Repeat(stage, figures, 0, extent)
        if "cold-start" in chosen:
            console.print(f"filling a register with {extent.surveyed_lots} lots and {extent.berths} berths")
            city = City("CITY", extent.surveyed_lots, extent.berths)
            repeat = replace(repeat, register=await stack.enter_async_context(filled(city)))
        # The first calls of a process are slow, and a platform that has just started is nobody's case.
        await upload.run(stage, repeat.job("direct.warm", "grpc", 8, 500, at_once=4))
        await upload.run(stage, repeat.job("edge.warm", "rest", 8, 50, at_once=4))
        for number in range(repeats):
            if number and time.monotonic() - begun > _LONGEST_S[quick] * number / (number + 1):
                console.print(f"no time for more than {number} repeats")
                break
            repeat = replace(repeat, number=number, baseline=None)
            for name in chosen:
                if run := {**SCENARIOS, **LONG}.get(name):
                    console.print(f"repeat {number + 1} of {repeats}: {name}")
                    await run(repeat)
        if "footprint" in chosen:
            await footprint.per_record(stage, figures)
            await footprint.restart(stage, figures)
    console.print(f"measured in {time.monotonic() - begun:.0f} s")
    return figures


if __name__ == "__main__":
    sys.exit(main())
