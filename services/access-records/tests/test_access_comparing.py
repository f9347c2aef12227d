"""Comparing records over stated books: what it may cost, and what is on its way."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from access_records import archive
from access_records.archive import Report
from access_records.queries import query
from access_records.reconciliation import closing, comparing, ledger
from access_records.reconciliation.classify import Difference, Held, Refusal
from access_records.reconciliation.closing import Closing
from access_records.reconciliation.comparing import Comparing
from access_records.reconciliation.day_book import Closed, Differed, LastTold
from access_records.reconciliation.ledger import Ledger
from access_records.reconciliation.marks import Mark, Marks
from access_records.reconciliation.notes import Notes
from access_records.records.state import MOST_REVISIONS, State, fold, versions
from access_records.records.states import key_of
from access_records.testing import LOT, NOW_MS, entry, first_report, revision_of
from eventlog import EventLog, Found, Position
from history.client import HistoryClient, Row
from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from vocabulary import beijing
from vocabulary.beijing import Bounds
from vocabulary.record import Facts, digest_of, facts_of

WINDOW = Bounds(NOW_MS - beijing.DAY_MS, NOW_MS)
MARK = Mark(Position("e", 0, 100), NOW_MS)


@dataclass
class Stated:
    """The books, the log behind them and the notes, as a test states them."""

    here: dict[str, list[Held]] = field(default_factory=dict)
    known: dict[str, list[Report]] = field(default_factory=dict)
    taken: dict[bytes, int] = field(default_factory=dict)
    """Offsets in the log, by key."""
    end_offset: int = 100
    looked_up: int = 0
    noted: list[Difference] = field(default_factory=list)

    def comparing(self) -> Comparing:
        return Comparing(cast(EventLog, self), cast(Ledger, self), cast(Marks, self), cast(Notes, self))

    async def given(self, lot_id: str, token: str, now_ms: int) -> Mark:
        return MARK

    async def held(self, *_: object) -> tuple[dict[str, list[Held]], str]:
        return self.here, ""

    async def reports(self, lot_id: str, record_ids: Iterable[str]) -> dict[str, list[Report]]:
        return {record_id: self.known[record_id] for record_id in record_ids if record_id in self.known}

    async def refusals(self, lot_id: str, sent: Mapping[str, bytes]) -> dict[str, list[Refusal]]:
        return {}

    async def end(self, shard: int) -> Position:
        return MARK.position._replace(offset=self.end_offset)

    async def find(self, shard: int, keys: Sequence[bytes]) -> list[Found | None]:
        self.looked_up += len(keys)
        return [Found(bytes(32), self.taken[key]) if key in self.taken else None for key in keys]

    async def found(
        self, lot_id: str, window: Bounds, differences: Sequence[Difference], vendor: dict[str, bytes], now_ms: int
    ) -> None:
        self.noted += differences


def revised(revisions: int) -> list[Report]:
    """A record with so many corrections, each of which changes a fact."""
    reports = [first_report(entry(ms=WINDOW.start_ms + 5))]
    for number in range(1, revisions + 1):
        made = revision_of(number, record_pb2.REVISION_KIND_CORRECTION, device_id=f"d{number}")
        reports.append(made)
    return reports


def test_versions_are_the_states_by_the_numbers() -> None:
    reports = revised(9)
    reports[4] = revision_of(4, record_pb2.REVISION_KIND_VOID)
    states = [fold([one for one in reports if one.revision <= number]) for number in range(10) if number != 4]
    assert list(versions(reversed(reports))) == [facts_of(state.record) for state in states if state is not None]
    assert len({one.device_id for one in versions(reports)}) == 9
    assert list(versions(reports[1:])) == []


async def test_what_one_answer_looks_at_is_bounded_and_not_in_the_way_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digested: list[int] = []

    def counted(facts: Facts) -> bytes:
        digested.append(threading.get_ident())
        return digest_of(facts)

    monkeypatch.setattr("access_records.reconciliation.explain.digest_of", counted)
    monkeypatch.setattr(comparing, "_MOST_STATES", 5 * (MOST_REVISIONS + 1))
    monkeypatch.setattr(comparing, "_MOST_TRIED", 0)
    every = revised(MOST_REVISIONS)
    names = [f"r{number:02}" for number in range(20)]
    stated = Stated(
        here={name: [Held(bytes(32), WINDOW.start_ms + 5)] for name in names}, known=dict.fromkeys(names, every)
    )
    answer = await stated.comparing().records(LOT, WINDOW, dict.fromkeys(names, b"?" * 32), "", NOW_MS)
    assert {one.kind for one in answer.differences} == {messages.DIFFERENCE_KIND_DIFFERENT}
    assert len(answer.differences) == 20
    assert len(digested) == 5 * (MOST_REVISIONS + 1)
    assert threading.get_ident() not in digested


async def test_the_facts_are_told_of_records_within_the_bound() -> None:
    every = revised(3)
    present = fold(every)
    assert present is not None
    held = Held(present.record.digest, WINDOW.start_ms + 5, 3)
    first = every[0].digest
    stated = Stated(here={"r": [held]}, known={"r": every})
    (found,) = (await stated.comparing().records(LOT, WINDOW, {"r": first}, "", NOW_MS)).differences
    assert found.fields == ("deviceId",)


@pytest.mark.parametrize("number", [1, 3, MOST_REVISIONS])
async def test_what_the_log_has_taken_and_the_books_do_not_hold_is_expected(number: int) -> None:
    """A record that the vendor has voided is not told as one too many while its void is on its way."""
    stated = Stated(
        here={name: [Held(bytes(32), WINDOW.start_ms + 5)] for name in ("extra", "on its way")},
        known={"on its way": [first_report(entry())]},
        taken={key_of(LOT, "on its way", number): 101, key_of(LOT, "extra", number): 99},
        end_offset=101,
    )
    answer = await stated.comparing().records(LOT, WINDOW, {}, "", NOW_MS)
    assert {one.record_id: one.kind for one in answer.differences} == {
        "extra": messages.DIFFERENCE_KIND_EXTRA,
        "on its way": messages.DIFFERENCE_KIND_EXPECTED,
    }
    assert stated.noted == answer.differences


async def test_what_the_books_hold_by_now_and_did_not_at_the_mark_is_expected_too() -> None:
    later = revision_of(1, record_pb2.REVISION_KIND_VOID)
    later.log_offset = 101
    stated = Stated(here={"r": [Held(bytes(32), WINDOW.start_ms + 5)]}, known={"r": [first_report(entry()), later]})
    (found,) = (await stated.comparing().records(LOT, WINDOW, {}, "", NOW_MS)).differences
    assert found.kind == messages.DIFFERENCE_KIND_EXPECTED


async def test_nothing_is_looked_up_in_a_log_that_the_books_hold_whole() -> None:
    stated = Stated(here={"r": [Held(bytes(32), WINDOW.start_ms + 5)]})
    await stated.comparing().records(LOT, WINDOW, {}, "", NOW_MS)
    assert stated.looked_up == 0


async def test_one_answer_covers_so_many_records_of_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_MOST_HELD", 3)
    stated = Stated(here={f"r{number}": [Held(bytes(32), WINDOW.start_ms + 5)] for number in range(5)})
    answer = await stated.comparing().records(LOT, WINDOW, {}, "", NOW_MS)
    assert [one.record_id for one in answer.differences] == ["r0", "r1", "r2"]
    assert answer.next_id == "r2"


class Days:
    """What a report of an open day is made of; the history is asked through the ledger itself."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    async def now(self, lot_id: str, now_ms: int) -> Mark:
        return MARK

    async def noted(self, kind: str, key: str) -> None:
        return None

    async def closed(self, lot_ids: object, day: Bounds) -> dict[str, Closed]:
        return {}

    async def told(self, lot_ids: object, day: Bounds) -> dict[str, LastTold]:
        return {}

    async def differed(self, lot_id: str, day: Bounds, limit: int) -> list[Differed]:
        return [Differed(name, messages.DIFFERENCE_KIND_MISSING, NOW_MS, bytes(32)) for name in self.names]

    async def rows(self, asked: str, parameters: dict[str, object], settings: object = None) -> list[Row]:
        return [(WINDOW.start_ms, name) for name in self.names] if asked == query("touched_since") else []

    async def reports(self, records: Iterable[tuple[str, str]], until: int = 0) -> dict[tuple[str, str], list[Report]]:
        return {record: revised(3) for record in records}


async def test_thousands_of_records_are_not_folded_in_the_way_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: dict[str, list[int]] = {"ledger": [], "closing": []}

    def counted(where: str) -> Callable[[list[Report]], State | None]:
        def folding(reports: list[Report]) -> State | None:
            folded[where].append(threading.get_ident())
            return fold(reports)

        return folding

    monkeypatch.setattr(ledger, "fold", counted("ledger"))
    monkeypatch.setattr(closing, "fold", counted("closing"))
    days: Any = Days(["a", "b"])
    case = Closing(Ledger(days, days), days, days, days, days, days, days)
    standing = await case.report(LOT, beijing.day_key(WINDOW.start_ms), NOW_MS)
    assert standing.report.differences_found == 2
    assert {where: len(threads) for where, threads in folded.items()} == {"ledger": 2, "closing": 2}
    assert threading.get_ident() not in folded["ledger"] + folded["closing"]


async def test_thousands_of_rows_are_not_read_in_the_way_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    report = first_report(entry())

    def counted(*_: object) -> Report:
        read.append(threading.get_ident())
        return report

    class Rows:
        async def rows(self, *_: object, **__: object) -> list[Row]:
            return [()] * 1000

    monkeypatch.setattr(archive, "_logged", counted)
    found = await archive.Archive(cast(HistoryClient, Rows())).reports([(LOT, report.record_id)])
    assert found == {(LOT, report.record_id): [report] * 1000}
    assert threading.get_ident() not in read
