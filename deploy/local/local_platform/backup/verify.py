"""Proves that a platform holds what a backup says: every lot-day's fingerprint as of the backup, and the logs' ends."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from access_records.fingerprints import Fingerprints
from eventlog import EventLog, TrimmedBehind
from eventlog.record import Position

from local_platform.backup import fingerprint_file
from local_platform.backup.create import RECORDS, opened
from local_platform.backup.engines import Engines, engines
from local_platform.backup.manifest import BackupError, LogMark, Manifest
from local_platform.settings import Settings


class Proof(NamedTuple):
    """What was found equal."""

    files: int
    lot_days: int
    records: int
    """That hold on those days."""
    waiting: int
    """Entries of the logs behind the history's positions, every checksum verified."""


async def verify(settings: Settings, folder: Path, *, against_platform: bool) -> Proof | None:
    """Checks every file of a backup; then, if asked, that the platform of the runtime folder holds what it says.

    The platform may have gone on since: it is asked for its state as of the backup. BackupError names what differs.
    """
    manifest = Manifest.read(folder)
    manifest.check(folder)
    if not against_platform:
        return None
    async with engines(settings) as running:
        return await proved(running, manifest, folder)


async def proved(running: Engines, manifest: Manifest, folder: Path) -> Proof:
    """The proof for engines that answer. BackupError."""
    waiting = 0
    async with AsyncExitStack() as stack:
        for name, log in (await opened(running, stack)).items():
            mark = manifest.logs[name]
            if log.epoch != mark.epoch:
                raise BackupError(f"the log {name} is another one than the backup's 日志不是备份中的日志")
            for shard in range(log.shards):
                waiting += await _followed(log, name, shard, mark)
    said = fingerprint_file.read(folder)
    found = await Fingerprints(running.owner).as_of(manifest.logs[RECORDS].drained)
    if differing := sorted(key for key in said.keys() | found.keys() if said.get(key) != found.get(key)):
        lot_id, day = differing[0]
        raise BackupError(
            f"{len(differing)} lot-days differ from the backup, the first is {day} of {lot_id} 与备份不一致的场日"
        )
    return Proof(len(manifest.files), len(said), sum(count for count, _ in said.values()), waiting)


async def _followed(log: EventLog, name: str, shard: int, mark: LogMark) -> int:
    end = (await log.end(shard)).offset
    if end < mark.acknowledged[shard]:
        raise BackupError(
            f"the log {name} ends at {end}, before {mark.acknowledged[shard]}, which was acknowledged 日志缺尾"
        )
    after, count = Position(log.epoch, shard, mark.drained[shard]), 0
    while True:
        try:
            entries = await log.read(after)
        except TrimmedBehind as trimmed:  # A platform that has gone on keeps only what is young.
            after = Position(log.epoch, shard, trimmed.oldest - 1)
            continue
        if not entries:
            return count
        count += sum(len(entry.payloads) for entry in entries)
        after = entries[-1].position
