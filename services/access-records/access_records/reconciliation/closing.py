"""The use cases of closing a day and of its report."""

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from eventlog import Outcome
from mesh.caller import Caller
from mesh.errors import MeshError
from parkmesh.access.v1 import journal_pb2
from parkmesh.access.v1.record_pb2 import LoggedRecord
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from access_records.journal import Journal
from access_records.reconciliation.buckets import Buckets
from access_records.reconciliation.day_book import Closed, DayBook, Differed, closed_as
from access_records.reconciliation.ledger import Ledger
from access_records.reconciliation.marks import Mark, Marks
from access_records.reconciliation.notes import Notes, Told
from access_records.reconciliation.report import MOST_LISTED, Finding, Report, text_of
from access_records.reconciliation.signing import ReportKey, Signed
from access_records.records.state import fold

_MOST_DIFFERED: Final = 10_000
_KIND: Final = "closed_day"


class Statement(NamedTuple):
    """What somebody states who closes a day."""

    vendor: Fingerprint
    author: str
    accept_differences: bool
    reason: str


class Standing(NamedTuple):
    """How the books of a day stand."""

    report: Report
    told: bool
    """Whether the vendor's fingerprint is known."""
    signed: Signed | None
    """None while the day is open."""
    present: Fingerprint
    """The platform's now."""
    adjusted: tuple[str, ...] = ()
    """The ids that were touched since the report."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes days; one for the whole service. Its methods raise HistoryUnavailable and LogUnavailable."""

    ledger: Ledger
    day_book: DayBook
    marks: Marks
    journal: Journal
    journal_marks: Marks
    """Of the journal: what it notes is in the history by its newest mark."""
    notes: Notes
    key: ReportKey

    async def close(self, caller: Caller, lot_id: str, date: str, stated: Statement, now_ms: int) -> Standing:
        """Closes the day. MeshError: DAY_CLOSED with other content, DAY_NOT_SETTLED, BOOKS_DIFFER."""
        day = beijing.day_bounds_of(date)
        closed = await self._closed(lot_id, day)
        if closed is not None:
            return await self._again(closed, stated, day, now_ms)
        mark = await self.marks.now(lot_id, now_ms)
        if day.end_ms > mark.settled_ms:
            raise MeshError(
                reasons.ERROR_REASON_DAY_NOT_SETTLED,
                "The day is not over, or what happened at its end may still be on its way.",
                metadata={"settledTime": beijing.text(max(0, mark.settled_ms))},
            )
        platform = await self._fingerprint(lot_id, day, mark)
        told = [Told(day, stated.vendor, platform)]
        await self.notes.compared(lot_id, caller.subject, told, mark.position.offset, now_ms)
        if stated.vendor != platform and not stated.accept_differences:
            raise MeshError(
                reasons.ERROR_REASON_BOOKS_DIFFER,
                "The fingerprints of the day differ.",
                metadata={
                    "count": str(platform.count),
                    "digestSum": base64.b64encode(platform.digest_sum).decode(),
                },
            )
        findings = await self._findings(lot_id, day, now_ms, equal=stated.vendor == platform)
        report = _report(lot_id, date, platform, mark, findings)._replace(
            **stated._asdict(), close_ms=now_ms, closed_by=caller.subject, account_id=caller.account
        )
        return await self._append(report, day, stated, now_ms)

    async def _append(self, report: Report, day: Bounds, stated: Statement, now_ms: int) -> Standing:
        signed = self.key.sign(text_of(report))
        entry = journal_pb2.JournalEntry(
            closed_day=journal_pb2.ClosedDay(
                lot_id=report.lot_id,
                day_ms=day.start_ms,
                vendor_count=report.vendor.count,
                vendor_sum=report.vendor.digest_sum,
                platform_count=report.platform.count,
                platform_sum=report.platform.digest_sum,
                book_offset=report.position.offset,
                text=signed.text,
                key_id=signed.key_id,
                signature=signed.signature,
            ),
            note_ms=report.close_ms,
        )
        if await self.journal.note(_key(report.lot_id, day), entry, _digest(stated)) != Outcome.ACCEPTED:
            # Somebody else has closed it meanwhile.
            closed = await self._closed(report.lot_id, day)
            assert closed is not None, "what the journal knows is in it or in the history"
            return await self._again(closed, stated, day, now_ms)
        return Standing(report, told=True, signed=signed, present=report.platform)

    async def _again(self, closed: Closed, stated: Statement, day: Bounds, now_ms: int) -> Standing:
        if closed.report.content != stated:
            raise MeshError(reasons.ERROR_REASON_DAY_CLOSED, "The day was closed before, with other content.")
        return await self._standing(closed, day, now_ms)

    async def report(self, lot_id: str, date: str, now_ms: int) -> Standing:
        """The closed day's report and what was adjusted since; of an open day, how its books stand."""
        day = beijing.day_bounds_of(date)
        closed = await self._closed(lot_id, day)
        if closed is not None:
            return await self._standing(closed, day, now_ms)
        mark = await self.marks.now(lot_id, now_ms)
        platform = await self._fingerprint(lot_id, day, mark)
        await self.journal_marks.now("", now_ms)
        told = (await self.day_book.told([lot_id], day)).get(lot_id)
        vendor = told.vendor if told else Fingerprint()
        findings = await self._findings(lot_id, day, now_ms, equal=told is not None and vendor == platform)
        report = _report(lot_id, date, platform, mark, findings)._replace(vendor=vendor)
        return Standing(report, told=told is not None, signed=None, present=platform)

    async def _closed(self, lot_id: str, day: Bounds) -> Closed | None:
        """The closed day, from the moment it was closed."""
        noted = await self.journal.noted(_KIND, _key(lot_id, day))
        if noted is not None:
            one = noted.closed_day
            return closed_as(one.text, one.key_id, one.signature)
        return (await self.day_book.closed([lot_id], day)).get(lot_id)

    async def _standing(self, closed: Closed, day: Bounds, now_ms: int) -> Standing:
        report = closed.report
        await self.marks.now(report.lot_id, now_ms)  # until the history holds what was changed before the call
        adjusted = await self.ledger.touched(report.lot_id, day, report.position)
        present = (await self.ledger.of_lots([report.lot_id], day)).get(report.lot_id, Fingerprint())
        return Standing(report, told=True, signed=closed.signed, present=present, adjusted=tuple(adjusted))

    async def _fingerprint(self, lot_id: str, day: Bounds, mark: Mark) -> Fingerprint:
        (found,) = await self.ledger.fingerprints(lot_id, Buckets(day.start_ms, beijing.DAY_MS, 1), mark.position)
        return found

    async def _findings(self, lot_id: str, day: Bounds, now_ms: int, *, equal: bool) -> list[Finding]:
        """The differences that comparisons found in the day, and whether each is still there."""
        await self.journal_marks.now("", now_ms)
        differed = await self.day_book.differed(lot_id, day, _MOST_DIFFERED)
        open_ones = [] if equal else [one.record_id for one in differed]
        reports = await self.ledger.reports(lot_id, open_ones)
        # Ten thousand records with their revisions take a while, and others are answered meanwhile.
        return await asyncio.to_thread(_found, differed, reports, day, equal=equal)


def _found(
    differed: Sequence[Differed], reports: Mapping[str, Sequence[LoggedRecord]], day: Bounds, *, equal: bool
) -> list[Finding]:
    found: list[Finding] = []
    for one in differed:
        state = None if equal else fold(reports.get(one.record_id, ()))
        here = state is not None and not state.voided
        inside = here and state is not None and day.start_ms <= state.record.event_ms < day.end_ms
        as_told = here and state is not None and state.record.digest == one.vendor_digest
        repaired = equal or (as_told if one.vendor_digest else not inside)
        found.append(Finding(one.record_id, one.kind, one.find_ms, repaired))
    return found


def _report(lot_id: str, date: str, platform: Fingerprint, mark: Mark, findings: list[Finding]) -> Report:
    """A report that nobody has closed."""
    listed = sorted(sorted(findings, key=lambda one: one.repaired)[:MOST_LISTED])
    return Report(
        lot_id=lot_id,
        date=date,
        vendor=Fingerprint(),
        platform=platform,
        position=mark.position,
        settled_ms=mark.settled_ms,
        close_ms=0,
        author="",
        closed_by="",
        account_id="",
        accept_differences=False,
        reason="",
        differences_found=len(findings),
        differences_repaired=sum(one.repaired for one in findings),
        differences=tuple(listed),
    )


def _key(lot_id: str, day: Bounds) -> str:
    return f"{lot_id}/{day.start_ms}"


def _digest(stated: Statement) -> bytes:
    vendor, *rest = stated
    return sha256(json.dumps([vendor.count, vendor.digest_sum.hex(), *rest]).encode()).digest()
