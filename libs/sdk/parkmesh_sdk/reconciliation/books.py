"""The vendor's own books of one lot: what reconciliation asks of them, and books that lie in memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from parkmesh.access.v1.record_pb2 import AccessRecord, StoredRecord
from vocabulary.fingerprint import Fingerprint
from vocabulary.record import digest_of, facts_of


class Held(NamedTuple):
    """A record as the vendor's books have it now."""

    record: AccessRecord
    voided: bool = False


class Books(Protocol):
    """The records of one lot as the vendor's system holds them. A void record is in no fingerprint and no window.

    Times are milliseconds since 1970 UTC; a record belongs where its event time lies now, to the millisecond. Digests
    are those of docs/canonical-text.md: `vocabulary.record` computes them.
    """

    async def fingerprints(self, start_ms: int, step_ms: int, count: int) -> Sequence[Fingerprint]:
        """Those of so many consecutive buckets, the first from `start_ms` on, each `step_ms` long; empty ones too."""

    async def digests(self, start_ms: int, end_ms: int) -> Mapping[str, bytes]:
        """The digest of each record from `start_ms` to before `end_ms`, by record id."""

    async def held(self, record_ids: Collection[str]) -> Mapping[str, Held]:
        """What there is under these ids, void or not, at whatever time; ids that are not known are left out."""

    async def take(self, stored: StoredRecord) -> None:
        """Makes the books hold what the platform holds under that id: its facts, and whether it is void."""


class MemoryBooks:
    """Books of one lot in memory; the last record of an id holds."""

    def __init__(self, records: Iterable[AccessRecord] = ()) -> None:
        self._held: dict[str, Held] = {}
        self._places: dict[str, tuple[int, bytes]] = {}
        for record in records:
            self.write(record)

    def write(self, record: AccessRecord, *, voided: bool = False) -> None:
        """Holds the record in the place of whatever was held under its id."""
        facts = facts_of(record)
        self._held[record.record_id] = Held(record, voided)
        self._places[record.record_id] = facts.event_time_ms, digest_of(facts)

    def erase(self, record_id: str) -> None:
        """Forgets the record. KeyError when there is none."""
        del self._held[record_id], self._places[record_id]

    async def fingerprints(self, start_ms: int, step_ms: int, count: int) -> Sequence[Fingerprint]:
        """See `Books`."""
        buckets: list[list[bytes]] = [[] for _ in range(count)]
        for record_id, (event_ms, digest) in self._places.items():
            place = (event_ms - start_ms) // step_ms
            if 0 <= place < count and not self._held[record_id].voided:
                buckets[place].append(digest)
        return [Fingerprint.of(bucket) for bucket in buckets]

    async def digests(self, start_ms: int, end_ms: int) -> Mapping[str, bytes]:
        """See `Books`."""
        return {
            record_id: digest
            for record_id, (event_ms, digest) in self._places.items()
            if start_ms <= event_ms < end_ms and not self._held[record_id].voided
        }

    async def held(self, record_ids: Collection[str]) -> Mapping[str, Held]:
        """See `Books`."""
        return {record_id: self._held[record_id] for record_id in record_ids if record_id in self._held}

    async def take(self, stored: StoredRecord) -> None:
        """See `Books`."""
        self.write(stored.record, voided=stored.voided)
