"""What comparisons leave in the journal: bounded for each lot and hour, whatever is asked."""

from typing import cast

import pytest
from access_records.journal import Journal
from access_records.reconciliation import notes as module
from access_records.reconciliation.classify import Difference
from access_records.reconciliation.notes import Notes, Told
from access_records.testing import LOT, NOW_MS, OTHER_LOT
from eventlog import LogUnavailable, Outcome
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1.journal_pb2 import JournalEntry
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.fingerprint import Fingerprint

HOUR_BEGIN_MS = NOW_MS - NOW_MS % beijing.HOUR_MS


class Noted:
    """A journal that remembers what it was given."""

    def __init__(self) -> None:
        self.entries: list[JournalEntry] = []
        self.away = False

    async def note_all(self, notes: list[tuple[str, JournalEntry, bytes]]) -> list[Outcome]:
        if self.away:
            raise LogUnavailable
        self.entries += [entry for _, entry, _ in notes]
        return [Outcome.ACCEPTED] * len(notes)


def kept(comparisons: int = 10, differences: int = 10) -> tuple[Noted, Notes]:
    journal = Noted()
    return journal, Notes(cast(Journal, journal), comparisons, differences)


def day(ago: int = 1) -> Bounds:
    return beijing.day_bounds(HOUR_BEGIN_MS - ago * beijing.DAY_MS)


def told(vendor: int, platform: int = 0, ago: int = 1) -> Told:
    return Told(day(ago), Fingerprint(vendor, vendor.to_bytes(32)), Fingerprint(platform, platform.to_bytes(32)))


def missing(first: int, count: int) -> list[Difference]:
    return [Difference(f"r{first + number}", messages.DIFFERENCE_KIND_MISSING) for number in range(count)]


async def test_of_a_day_another_fingerprint_is_noted_after_a_minute() -> None:
    journal, notes = kept()
    for second in range(61):
        await notes.compared(LOT, "v", [told(second + 1)], 1, HOUR_BEGIN_MS + second * 1000)
    assert [entry.comparison.vendor_count for entry in journal.entries] == [1, 61]


async def test_that_the_books_agree_after_a_repair_is_noted_at_once_and_once() -> None:
    journal, notes = kept()
    for number in range(20):
        await notes.compared(LOT, "v", [told(number)], 1, HOUR_BEGIN_MS + number)
        await notes.compared(LOT, "v", [told(number + 1, number + 1)], 1, HOUR_BEGIN_MS + number)
    assert [entry.comparison.vendor_count for entry in journal.entries] == [0]
    await notes.compared(LOT, "v", [told(5)], 1, HOUR_BEGIN_MS + beijing.MINUTE_MS)
    await notes.compared(LOT, "v", [told(7, 7)], 1, HOUR_BEGIN_MS + beijing.MINUTE_MS + 1)
    assert [entry.comparison.vendor_count for entry in journal.entries] == [0, 5, 7]


async def test_the_same_fingerprint_is_noted_once_in_ten_minutes() -> None:
    journal, notes = kept()
    for minute in range(11):
        await notes.compared(LOT, "v", [told(1)], 1, HOUR_BEGIN_MS + minute * beijing.MINUTE_MS)
    assert len(journal.entries) == 2


async def test_of_a_lot_so_many_fingerprints_are_noted_in_an_hour_whatever_the_days() -> None:
    journal, notes = kept(comparisons=10)
    every = [told(1, ago=ago) for ago in range(1, 401)]
    await notes.compared(LOT, "v", every, 1, HOUR_BEGIN_MS)
    await notes.compared(LOT, "v", every, 1, HOUR_BEGIN_MS + beijing.HOUR_MS - 1)
    assert len(journal.entries) == 10
    await notes.compared(OTHER_LOT, "v", every, 1, HOUR_BEGIN_MS)
    await notes.compared(LOT, "v", every, 1, HOUR_BEGIN_MS + beijing.HOUR_MS)
    assert len(journal.entries) == 30


async def test_of_a_lot_so_many_differences_are_noted_in_an_hour_whatever_the_days() -> None:
    journal, notes = kept(differences=10)
    for ago in range(1, 6):
        await notes.found(LOT, day(ago), missing(0, 7), {}, HOUR_BEGIN_MS)
    assert len(journal.entries) == 10
    await notes.found(LOT, day(9), missing(0, 7), {}, HOUR_BEGIN_MS + beijing.HOUR_MS)
    await notes.found(LOT, day(9), missing(0, 7), {}, HOUR_BEGIN_MS + beijing.HOUR_MS)
    assert len(journal.entries) == 17


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 20)
    _, notes = kept(1000, 1000)
    for ago in range(1, 60):
        await notes.compared(LOT, "v", [told(1, ago=ago)], 1, HOUR_BEGIN_MS)
        await notes.found(LOT, day(ago), missing(0, 5), {}, HOUR_BEGIN_MS)
    assert notes.remembered == (20, 20)


async def test_a_journal_that_is_away_costs_the_note_alone() -> None:
    journal, notes = kept()
    journal.away = True
    await notes.compared(LOT, "v", [told(1)], 1, HOUR_BEGIN_MS)
    await notes.found(LOT, day(), missing(0, 1), {}, HOUR_BEGIN_MS)
    journal.away = False
    await notes.compared(LOT, "v", [told(1)], 1, HOUR_BEGIN_MS)
    await notes.found(LOT, day(), missing(0, 1), {}, HOUR_BEGIN_MS)
    assert len(journal.entries) == 2
