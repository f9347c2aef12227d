"""The reconciliation from beginning to end: read, build the books, compare lot by lot and day by day, report."""

import asyncio
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parkmesh_sdk import Protocol
from parkmesh_sdk.reconciliation import MemoryBooks, Policy, compare_days
from parkmesh_sdk.reconciliation import reconcile as reconcile_day

from parkmesh_cli import registration
from parkmesh_cli.errors import CliError
from parkmesh_cli.reconcile.summary import Summary
from parkmesh_cli.replay.recorded import RecordedDay
from parkmesh_cli.screen import bar, say, show, show_table
from parkmesh_cli.target import Target

_AT_ONCE: Final = 4


@dataclass(frozen=True)
class Options:
    """How to reconcile."""

    lots: Path
    free_spaces: Path
    only: Collection[str]
    """Only these lots, by the file's ids; all when empty."""
    limit: int | None
    """Only so many movements are in the books, the day's first; None: all."""
    protocol: Protocol
    policy: Policy
    as_json: bool


async def reconcile(target: Target, options: Options) -> int:
    """Compares the books that the files make with the platform's and prints how they stand.

    Returns 0 when all of them agree, 1 otherwise. CliError when the files cannot be read or name no such lot,
    PlatformError when the platform refuses.
    """
    recorded = RecordedDay.read(options.lots, options.free_spaces, options.limit)
    if unknown := set(options.only) - recorded.lots.keys():
        raise CliError(f"{options.lots}: there is no lot {', '.join(sorted(unknown))}")
    wanted = set(options.only) or recorded.lots.keys()
    async with target.clients(options.protocol) as (vendor, _):
        sites = (await registration.find(vendor, recorded.plans)).sites
        books = {site.lot_id: MemoryBooks() for site in sites.values()}
        for record in recorded.records(sites):
            books[record.lot_id].write(record)
        summary = Summary()
        begun = time.monotonic()
        free = asyncio.Semaphore(_AT_ONCE)
        dates = recorded.dates
        say(f"{len(wanted):,} lots on {len(dates):,} days are compared. 正在对账")
        with bar("reconciling 对账", len(wanted)) as progress:

            async def one(lot: str) -> None:
                async with free:
                    lot_id = sites[lot].lot_id
                    own = books[lot_id]
                    summary.calls += 1
                    for day in await compare_days(vendor, lot_id, dates[0], dates[-1], own):
                        if day.agree and not options.policy.close:
                            summary.count(day)
                            continue
                        result = await reconcile_day(vendor, lot_id, day.date, own, options.policy)
                        summary.add(lot, recorded.lots[lot].name, result)
                    progress.advance()

            async with asyncio.TaskGroup() as group:
                for lot in sorted(wanted):
                    group.create_task(one(lot))
        summary.seconds = time.monotonic() - begun
    if options.as_json:
        show(json.dumps(summary.as_json(), ensure_ascii=False))
    else:
        if summary.lines:
            show_table(summary.as_list())
        show(summary.as_table())
    return 0 if summary.all_agree else 1
