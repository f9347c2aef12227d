"""The use cases of comparing: counts of a day, fingerprints of buckets, records of a window."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from eventlog import EventLog
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint
from vocabulary.record import facts_of

from access_records.archive import Report
from access_records.reconciliation import explain
from access_records.reconciliation.buckets import Buckets
from access_records.reconciliation.classify import Difference, Held, Known, classify, unmatched
from access_records.reconciliation.ledger import Counted, Ledger, held_as
from access_records.reconciliation.marks import Mark, Marks
from access_records.reconciliation.notes import Notes, Told
from access_records.records.state import MOST_REVISIONS, fold, versions
from access_records.records.states import key_of

MOST_RECORDS: Final = 1_000
"""Records that a vendor sends in one question."""
_MOST_HELD: Final = 2_000
"""Records of the platform's that one answer covers, if there are so many."""
_MOST_STATES: Final = 5_000
"""Earlier and later states of records that are looked at in one answer, to tell in which facts records differ."""
_MOST_TRIED: Final = 200
"""Differing records whose facts are searched for by trial in one answer: a search takes a third of a millisecond."""
_MOST_KEYS: Final = 6_500
"""Keys in one look-up of the log's index: the log server does nothing else meanwhile."""
_NUMBERS: Final = range(MOST_REVISIONS + 1)


class DigestsAnswer(NamedTuple):
    """Which buckets differ."""

    compared: Buckets
    differing: list[tuple[int, Fingerprint]]
    """Their places, with the platform's fingerprint of each."""
    mark: Mark


class RecordsAnswer(NamedTuple):
    """Which records differ."""

    differences: list[Difference]
    next_id: str
    """Up to which id, included, was compared; empty when nothing is left."""
    mark: Mark


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compares books; one for the whole service. Every method raises HistoryUnavailable, LogUnavailable, TooManyChanges
    and MeshError(INVALID_FIELD) for a position that is none.
    """

    log: EventLog
    ledger: Ledger
    marks: Marks
    notes: Notes

    async def counts(
        self, lot_id: str, day: Bounds, token: str, now_ms: int
    ) -> tuple[dict[tuple[int, int], Counted], Mark]:
        """The platform's counts of the day, by direction and class."""
        mark = await self.marks.given(lot_id, token, now_ms)
        return await self.ledger.counts(lot_id, day, mark.position), mark

    async def digests(
        self,
        lot_id: str,
        vendor_id: str,
        buckets: Buckets,
        vendor: Sequence[Fingerprint],
        token: str,
        now_ms: int,
    ) -> DigestsAnswer:
        """The buckets whose fingerprints differ, of those that are settled; `vendor_id` is who asks."""
        mark = await self.marks.given(lot_id, token, now_ms)
        settled = buckets.until(mark.settled_ms)
        if not settled.count:
            return DigestsAnswer(settled, [], mark)
        platform = await self.ledger.fingerprints(lot_id, settled, mark.position)
        told = [Told(day, _together(vendor, places), _together(platform, places)) for day, places in settled.days()]
        await self.notes.compared(lot_id, vendor_id, told, mark.position.offset, now_ms)
        differing = [(index, ours) for index, ours in enumerate(platform) if ours != vendor[index]]
        return DigestsAnswer(settled, differing, mark)

    async def records(
        self,
        lot_id: str,
        window: Bounds,
        vendor: Mapping[str, bytes],
        token: str,
        now_ms: int,
        *,
        after: str = "",
        more_follow: bool = False,
    ) -> RecordsAnswer:
        """The records of the window that differ: `vendor` holds the digests of the vendor's records by id, all those
        behind `after`, or the first of them when more follow.
        """
        mark = await self.marks.given(lot_id, token, now_ms)
        here, last = await self.ledger.held(lot_id, window, after, _MOST_HELD, mark.position)
        theirs = max(vendor, default="") if more_follow else ""
        most = sorted(here)[_MOST_HELD - 1] if len(here) > _MOST_HELD else ""
        until = min(filter(None, (last, theirs, most)), default="")
        if until:
            here = {record_id: held for record_id, held in here.items() if record_id <= until}
        sent = {record_id: digest for record_id, digest in vendor.items() if not until or record_id <= until}
        known = await self._known(lot_id, window, here, sent, mark)
        # A thousand records with all their revisions take a while, and others are answered meanwhile.
        differences = await asyncio.to_thread(classify, sent, known)
        await self.notes.found(lot_id, window, differences, sent, now_ms)
        return RecordsAnswer(differences, until, mark)

    async def _known(
        self,
        lot_id: str,
        window: Bounds,
        here: Mapping[str, Collection[Held]],
        sent: Mapping[str, bytes],
        mark: Mark,
    ) -> Known:
        """What is known of ids that the window does not hold as the vendor sent them, or did not send."""
        theirs = unmatched(sent, here)
        asked = [*theirs, *(record_id for record_id in here if record_id not in sent)]
        reports, refusals, later = await asyncio.gather(
            self.ledger.reports(lot_id, asked),
            self.ledger.refusals(lot_id, {record_id: sent[record_id] for record_id in theirs}),
            self._arriving(lot_id, asked, mark),
        )
        later.update(
            record_id
            for record_id, ones in reports.items()
            if any(one.log_offset > mark.position.offset for one in ones)
        )
        away = {record_id: ones for record_id, ones in reports.items() if record_id not in here}
        return Known(
            window=window,
            settled_ms=mark.settled_ms,
            here=here,
            elsewhere=await asyncio.to_thread(_elsewhere, away, mark),
            refusals=refusals,
            on_their_way=later,
            explain=_Explanations(reports, mark).explain,
        )

    async def _arriving(self, lot_id: str, record_ids: Sequence[str], mark: Mark) -> set[str]:
        """The ids under which the log has taken anything after the mark: the history may not hold it yet."""
        end = await self.log.end(mark.position.shard)
        if end.offset <= mark.position.offset:
            return set()
        found: set[str] = set()
        asked = list(product(record_ids, _NUMBERS))
        for start in range(0, len(asked), _MOST_KEYS):
            part = asked[start : start + _MOST_KEYS]
            keys = [key_of(lot_id, *one) for one in part]
            for (record_id, _), known in zip(part, await self.log.find(mark.position.shard, keys), strict=True):
                if known is not None and known.offset > mark.position.offset:
                    found.add(record_id)
        return found


class _Explanations:
    """Tells in which facts records differ."""

    def __init__(self, reports: Mapping[str, list[Report]], mark: Mark) -> None:
        self._reports = reports
        self._mark = mark
        self._states_left = _MOST_STATES
        self._trials_left = _MOST_TRIED

    def explain(self, record_id: str, digest: bytes) -> tuple[str, ...]:
        """As Known says; nothing once so much was looked at that the rest must wait for the next question."""
        ones = self._reports.get(record_id, [])
        if len(ones) > self._states_left:
            return ()
        self._states_left -= len(ones)
        present = fold(_until(ones, self._mark))
        if present is None:
            return ()
        facts = facts_of(present.record)
        told = explain.by_states(facts, versions(ones), digest)
        if told or not self._trials_left:
            return told
        self._trials_left -= 1
        return explain.by_trial(facts, digest)


def _elsewhere(reports: Mapping[str, list[Report]], mark: Mark) -> dict[str, Held]:
    states = {record_id: fold(_until(ones, mark)) for record_id, ones in reports.items()}
    return {
        record_id: held_as(state.record, voided=state.voided)
        for record_id, state in states.items()
        if state is not None
    }


def _together(fingerprints: Sequence[Fingerprint], places: range) -> Fingerprint:
    return sum((fingerprints[place] for place in places), Fingerprint())


def _until(reports: Iterable[Report], mark: Mark) -> list[Report]:
    return [report for report in reports if report.log_offset <= mark.position.offset]
