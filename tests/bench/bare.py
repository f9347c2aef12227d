"""What the engine can do at best: the very rows of a run, inserted into fresh copies of the tables, nothing else."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from access_records import tables
from access_records.writing.record_rows import by_month, sorted_out
from eventlog import Entry, EventLog, Position
from history.durability import verify_durable
from history.rows import ProtobufTable
from history.writer import BatchWriter

from .ledger import Void
from .stage import Stage

LARGE: Final = 50_000
"""Rows of one insert when the engine is given what suits it best."""
WRITER: Final = 20_000
"""Rows of one insert as the history writer makes them."""


@dataclass(frozen=True)
class Bare:
    """Rows per second of the two ways to insert them."""

    one_table: float
    """Into one table, in large inserts."""
    both_tables: float
    """Into both, in the writer's inserts: each row counts once."""


async def entries_of(log: EventLog, after: Position, most: int) -> list[Entry]:
    """What the log holds behind a position."""
    found: list[Entry] = []
    count = 0
    while count < most and (read := await log.read(after)):
        found += read
        count += sum(len(entry.payloads) for entry in read)
        after = read[-1].position
    return found


async def measure(stage: Stage, entries: Sequence[Entry]) -> Bare:
    """Inserts the rows of the log's entries both ways, into tables that are empty before and gone after."""
    rows = sum(len(entry.payloads) for entry in entries)
    current, revisions = _twin(tables.CURRENT), _twin(tables.REVISIONS)
    one = await _timed(stage, [current], entries, LARGE)
    two = await _timed(stage, [revisions, current], entries, WRITER)
    return Bare(rows / one, rows / two)


def _twin(table: ProtobufTable) -> ProtobufTable:
    return replace(table, name=f"{table.name}_bench")


async def _timed(stage: Stage, twins: Sequence[ProtobufTable], entries: Sequence[Entry], size: int) -> float:
    rows = sum(len(entry.payloads) for entry in entries)
    for twin in twins:
        await stage.owner.execute(f"CREATE TABLE {twin.name} AS {twin.name.removesuffix('_bench')}")
    try:
        await verify_durable(stage.owner, [twin.name for twin in twins])
        writer = BatchWriter(stage.writer, twins)
        batches = []
        for part in _parts(entries, size):
            taken = sorted_out(part)
            made = {tables.REVISIONS.name: taken.reports, tables.CURRENT.name: by_month(taken.firsts)}
            batches.append({twin.name: made[twin.name.removesuffix("_bench")] for twin in twins})
        begun = time.monotonic()
        for batch in batches:
            await writer.write(batch)
        took = time.monotonic() - begun
        for twin in twins:
            ((count,),) = await stage.owner.rows(f"SELECT count() FROM {twin.name} FINAL")
            if count != rows:
                raise Void(f"a bare insert of {rows} rows left {count}")
    finally:
        for twin in twins:
            await stage.owner.execute(f"DROP TABLE IF EXISTS {twin.name} SYNC")
    return took


def _parts(entries: Sequence[Entry], size: int) -> list[list[Entry]]:
    parts: list[list[Entry]] = [[]]
    count = 0
    for entry in entries:
        if parts[-1] and count + len(entry.payloads) > size:
            parts.append([])
            count = 0
        parts[-1].append(entry)
        count += len(entry.payloads)
    return parts
