"""The journal: what the platform notes beside the records, in a durable log of its own, each note once."""

from typing import Final

from eventlog import EventLog, Item, Outcome, item_key
from parkmesh.access.v1.journal_pb2 import JournalEntry

JOURNAL: Final = "journal"
"""The log's name on the server, and that of the positions up to which the history holds it."""


class Journal:
    """Notes entries; one for the whole service."""

    def __init__(self, log: EventLog) -> None:
        """`log` is the log of the name JOURNAL."""
        self._log = log

    async def note(self, key: str, entry: JournalEntry, digest: bytes) -> Outcome:
        """Notes the entry, once under its key, durable on return; `digest` (32 bytes) tells two entries of one key
        apart: the same again is a DUPLICATE, another one a CONFLICT, which is not noted. LogFull, LogUnavailable.
        """
        (outcome,) = await self.note_all([(key, entry, digest)])
        return outcome

    async def note_all(self, notes: list[tuple[str, JournalEntry, bytes]]) -> list[Outcome]:
        """As `note`, for several."""
        kinds = [entry.WhichOneof("entry") or "" for _, entry, _ in notes]
        items = [
            Item(item_key(kind, key), digest, entry.SerializeToString())
            for kind, (key, entry, digest) in zip(kinds, notes, strict=True)
        ]
        return [result.outcome for result in await self._log.append(0, items)]

    async def noted(self, kind: str, key: str) -> JournalEntry | None:
        """The entry of that kind that was noted under the key, while the log still holds it. LogUnavailable."""
        (found,) = await self._log.find(0, [item_key(kind, key)])
        payload = await self._log.get(0, found.offset) if found else None
        return None if payload is None else JournalEntry.FromString(payload)
