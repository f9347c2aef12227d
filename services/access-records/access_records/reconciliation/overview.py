"""The use case of the overview: which lots' books of a day agree."""

from collections.abc import Set
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias

from directory import Directory, LotFacts
from mesh.caller import Caller
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.registry.v1 import lot_pb2
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

from access_records.reconciliation.day_book import Closed, DayBook, LastTold
from access_records.reconciliation.ledger import Ledger

State: TypeAlias = messages.BooksState.ValueType


class LotBooks(NamedTuple):
    """The books of a lot on one day."""

    lot: LotFacts
    state: State
    present: Fingerprint
    """By the platform now."""
    vendor: Fingerprint | None
    """As the vendor told it last; None when it never did."""
    at_ms: int
    """When the day was compared last or closed; 0 for never."""
    accepted: bool
    """Whether the day was closed with differences."""
    adjusted: bool
    """Whether the platform's records changed since the day was closed."""


class Page(NamedTuple):
    """Some lots, by id."""

    books: list[LotBooks]
    last: str
    """The last lot that was looked at; empty when no lots follow."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Lists books for callers who may see the lots."""

    directory: Directory
    ledger: Ledger
    day_book: DayBook

    async def page(self, caller: Caller, day: Bounds, states: Set[State], after: str, limit: int, now_ms: int) -> Page:
        """Of the first `limit` lots behind the id `after` those in one of the states, in any when there are none.

        HistoryUnavailable; DirectoryUnavailable.
        """
        self.directory.require_fresh(now_ms)
        ids = sorted(lot.lot_id for lot in self.directory.lots() if lot.lot_id > after and _keeps_books(lot))
        seen = list(islice((one for one in ids if self.directory.may_see(caller, one, now_ms)), limit + 1))
        shown = seen[:limit]
        present = await self.ledger.of_lots(shown, day)
        told = await self.day_book.told(shown, day)
        closed = await self.day_book.closed(shown, day)
        books = [
            books_of(lot, present.get(lot_id, Fingerprint()), told.get(lot_id), closed.get(lot_id))
            for lot_id in shown
            if (lot := self.directory.lot(lot_id)) is not None
        ]
        return Page([one for one in books if not states or one.state in states], shown[-1] if len(seen) > limit else "")


def books_of(lot: LotFacts, present: Fingerprint, told: LastTold | None, closed: Closed | None) -> LotBooks:
    """How the books of a lot stand, by what the platform holds now, what was told last, and the closed day."""
    if closed is not None:
        report = closed.report
        return LotBooks(
            lot,
            messages.BOOKS_STATE_CLOSED,
            present,
            report.vendor,
            report.close_ms,
            accepted=not report.equal,
            adjusted=present != report.platform,
        )
    if told is None:
        return LotBooks(lot, messages.BOOKS_STATE_NOT_COMPARED, present, None, 0, accepted=False, adjusted=False)
    # What was told is held against what the platform has now: it may have agreed, and agree no longer.
    state = messages.BOOKS_STATE_AGREE if told.vendor == present else messages.BOOKS_STATE_DIFFER
    return LotBooks(lot, state, present, told.vendor, told.at_ms, accepted=False, adjusted=False)


def _keeps_books(lot: LotFacts) -> bool:
    return lot.state != lot_pb2.LOT_STATE_DRAFT and lot.in_scope
