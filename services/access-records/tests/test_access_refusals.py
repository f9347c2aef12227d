"""What is kept of refused items: of one's own lots, each once, bounded, without plates, never at the upload's cost."""

from typing import cast

import pytest
from access_records.journal import Journal
from access_records.records.refusals import Refusals, Refused
from access_records.testing import COLLECTOR, FOREIGN_LOT, LOT, NOW_MS, Platform, entry
from eventlog import LogUnavailable, Outcome
from history.client import Account, HistoryClient
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as records
from parkmesh.access.v1.journal_pb2 import JournalEntry
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing

VENDOR = Caller(CallerKind.VENDOR, "vendor-1", "client-1")


class Noted:
    """A journal that remembers what it was given."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.away = False

    async def note_all(self, notes: list[tuple[str, JournalEntry, bytes]]) -> list[Outcome]:
        if self.away:
            raise LogUnavailable
        self.keys += [key for key, _, _ in notes]
        return [Outcome.ACCEPTED] * len(notes)


class Granted:
    """Knows LOT and FOREIGN_LOT; VENDOR speaks for the first."""

    def lot(self, lot_id: str) -> object | None:
        return lot_id if lot_id in (LOT, FOREIGN_LOT) else None

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        return caller == VENDOR and lot_id != FOREIGN_LOT


def refused(record_id: str = "r", lot_id: str = LOT, plate: str = "闽B12345", *, digest: bytes = bytes(32)) -> Refused:
    return Refused(lot_id, record_id, 0, digest, plate, NOW_MS, reasons.ERROR_REASON_PLATE_MALFORMED, "plateNumber")


def kept(most: int = 10) -> tuple[Noted, Refusals]:
    journal = Noted()
    return journal, Refusals(cast(Journal, journal), Granted(), most)


async def test_a_refusal_is_noted_once() -> None:
    journal, refusals = kept()
    await refusals.note(VENDOR, [refused("a"), refused("a"), refused("a", digest=b"1" * 32)], NOW_MS)
    await refusals.note(VENDOR, [refused("a")], NOW_MS + 1)
    assert len(journal.keys) == 2


@pytest.mark.parametrize(
    "one",
    [
        refused(lot_id=FOREIGN_LOT),
        refused(lot_id="lot_nowhere"),
        refused("B12345"),
        refused("no id"),
        refused(""),
    ],
    ids=["foreign", "unknown", "plate in the id", "no id", "empty"],
)
async def test_what_is_nobodys_or_names_a_plate_is_not_noted(one: Refused) -> None:
    journal, refusals = kept()
    await refusals.note(VENDOR, [one], NOW_MS)
    assert journal.keys == []


async def test_who_may_not_report_leaves_nothing() -> None:
    journal, refusals = kept()
    await refusals.note(COLLECTOR, [refused()], NOW_MS)
    assert journal.keys == []


async def test_of_a_lot_so_many_are_noted_in_an_hour() -> None:
    journal, refusals = kept(most=3)
    await refusals.note(VENDOR, [refused(f"r{number}") for number in range(10)], NOW_MS)
    assert len(journal.keys) == 3
    await refusals.note(VENDOR, [refused("later")], NOW_MS + beijing.HOUR_MS)
    assert len(journal.keys) == 4


async def test_a_journal_that_is_away_costs_the_note_alone() -> None:
    journal, refusals = kept()
    journal.away = True
    await refusals.note(VENDOR, [refused()], NOW_MS)
    journal.away = False
    await refusals.note(VENDOR, [refused()], NOW_MS)
    assert len(journal.keys) == 1


async def test_refused_records_come_into_the_history_without_their_plates(access: Platform) -> None:
    bad = entry("refused-1", plate_number="没有这种号牌", vehicle_class=0)
    foreign = entry("refused-2", plate_number="没有这种号牌", lot_id=FOREIGN_LOT)
    answer = await access.stub().UploadRecords(records.UploadRecordsRequest(records=[bad, foreign, entry("fine-1")]))
    assert (answer.rejected, answer.accepted) == (2, 1)
    await access.drained()
    async with HistoryClient(Account(access.history.url, "reader", access.history.secrets["reader"])) as client:
        rows = await client.rows(
            "SELECT lot_id, record_id, reason, field, vendor_id FROM store.rejections"
            " WHERE startsWith(record_id, 'refused-')"
        )
    assert rows == [(LOT, "refused-1", reasons.ERROR_REASON_INVALID_FIELD, "vehicleClass", "vendor-1")]
