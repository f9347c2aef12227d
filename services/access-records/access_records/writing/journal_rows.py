"""What the history writer makes of the journal: a row for each entry, in the table of its kind."""

from collections.abc import Sequence

from eventlog import Entry
from history.writer import BatchWriter
from parkmesh.access.v1.journal_pb2 import JournalEntry
from vocabulary import beijing

from access_records import tables


class JournalRows:
    """Writes the rows of some entries of the journal; writing them again changes nothing."""

    def __init__(self, writer: BatchWriter) -> None:
        """The writer must know the tables of all kinds."""
        self._writer = writer

    async def write(self, entries: Sequence[Entry]) -> None:
        """Returns once all rows are durable. Raises what the writer raises."""
        batch: dict[str, dict[int, list[bytes]]] = {}
        for entry in entries:
            for offset, payload in enumerate(entry.payloads, entry.first):
                noted = JournalEntry.FromString(payload)
                kind = noted.WhichOneof("entry")
                assert kind, "only what this service noted is in its journal"
                row = getattr(noted, kind)
                row.note_ms, row.log_shard, row.log_offset = noted.note_ms, entry.shard, offset
                rows = batch.setdefault(tables.JOURNAL[kind].name, {})
                rows.setdefault(beijing.month(noted.note_ms), []).append(row.SerializeToString())
        await self._writer.write(batch)
