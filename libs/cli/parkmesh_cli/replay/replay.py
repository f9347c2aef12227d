"""The replay from beginning to end: read, register, upload, report."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from parkmesh_sdk import Protocol

from parkmesh_cli import registration
from parkmesh_cli.replay import pacing
from parkmesh_cli.replay.recorded import RecordedDay
from parkmesh_cli.screen import bar, say, show
from parkmesh_cli.tally import Tally
from parkmesh_cli.target import Target


@dataclass(frozen=True)
class Options:
    """How to replay."""

    lots: Path
    free_spaces: Path
    protocol: Protocol
    batch_size: int
    concurrency: int
    factor: float
    """How many times faster than it happened; infinity: as fast as possible."""
    limit: int | None
    """Only so many movements, the day's first, at least one; None: all."""
    as_json: bool


async def replay(target: Target, options: Options) -> int:
    """Replays the day and prints what became of it. Returns 0 when every record is stored, 1 otherwise.

    CliError when the files cannot be read, PlatformError when the platform refuses.
    """
    recorded = RecordedDay.read(options.lots, options.free_spaces, options.limit)
    lots, total, wanted = recorded.lots, recorded.total, recorded.plans
    invented = sum(lot.position is None for lot in lots.values())
    async with target.clients(options.protocol) as (vendor, authority):
        with bar("registering lots 登记停车场", len(wanted)) as progress:
            if authority is None:
                registered = await registration.find(vendor, wanted)
            else:
                registered = await registration.register(authority, vendor, target.vendor_id, wanted, progress.advance)
        known = len(lots) - registered.fresh
        say(f"{len(lots):,} lots: {registered.fresh:,} registered now, {known:,} known before.")
        say(f"{invented:,} have no position in the file: theirs are invented, each within its district of Putian.")
        say(f"{total:,} movements of {len(recorded.readings):,} lots are uploaded. 正在上报")
        tally = Tally()
        begun = time.monotonic()
        made = recorded.records(registered.sites)
        batches = pacing.paced(made, options.factor, options.batch_size, asyncio.sleep, time.monotonic)
        with bar("uploading 上报", total) as progress:
            async for result in vendor.upload_batches(batches, concurrency=options.concurrency):
                tally.add(result)
                progress.advance(result.size)
        tally.seconds = time.monotonic() - begun
    if options.as_json:
        counts = {"registered": registered.fresh, "known": known, "inventedPositions": invented}
        show(json.dumps({**tally.as_json(), "lots": counts}, ensure_ascii=False))
    else:
        show(tally.as_table())
    return 0 if tally.all_stored else 1
