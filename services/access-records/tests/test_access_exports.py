"""Exports: asked by one, approved by another, made in three formats, taken by who asked, and all of it noted."""

import asyncio
import csv
import dataclasses
import datetime
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import grpc
import openpyxl
import pytest
from access_records.exports import cells, exports, sheets
from access_records.exports.export_book import ExportBook, Known
from access_records.exports.export_maker import ExportMaker
from access_records.exports.export_rows import ExportRows
from access_records.exports.exports import Exports
from access_records.exports.views import VIEWS, allowed
from access_records.journal import JOURNAL, Journal
from access_records.progress import Progress
from access_records.testing import NOW_MS, OPERATOR, VENDOR, Platform
from access_records.turns import Turns
from directory.testing import lot
from eventlog import EventLog
from eventlog.server import running
from history.client import Account, HistoryClient, Row
from history.errors import HistoryUnavailable
from mesh.caller import Caller, CallerKind
from mesh.errors import MeshError
from mesh.testing import ManualClock, SequentialIds
from parkmesh.access.v1 import export_pb2
from parkmesh.access.v1 import export_service_pb2 as messages
from parkmesh.access.v1.export_service_pb2_grpc import ExportServiceStub
from parkmesh.access.v1.journal_pb2 import ExportDecision, ExportEvent, ExportRequest, JournalEntry
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import lot_pb2
from pyarrow import parquet  # type: ignore[import-untyped]
from vocabulary import beijing

DAY = "2099-11-30"
START = beijing.day_bounds_of(DAY).start_ms
TOWN = "350397"
OWN, OTHERS, CLOSED = (f"lot_{TOWN}-{name}" for name in ("own", "others", "closed"))
SUPERVISOR = Caller(CallerKind.SUPERVISOR, "police", "client-s", "account-s")
SECOND = Caller(CallerKind.SUPERVISOR, "police", "client-s2", "account-s2")
ADMINISTRATOR = Caller(CallerKind.ADMINISTRATOR, "platform", "client-a")
AUDITOR = Caller(CallerKind.AUDIT_ADMINISTRATOR, "platform", "client-audit")
ANALYST = Caller(CallerKind.ANALYST, "analysts", "client-n", "account-n")
DEPARTMENT = Caller(CallerKind.DEPARTMENT, "housing", "client-d", "account-d")
COLUMNS = ["record_id", "lot_id", "event_time", "plate_masked", "free_spaces", "resend", "delay_ms", "warnings"]
CSV, XLSX, PARQUET = (
    export_pb2.EXPORT_FORMAT_CSV,
    export_pb2.EXPORT_FORMAT_XLSX,
    export_pb2.EXPORT_FORMAT_PARQUET,
)
REQUESTED, APPROVED, RUNNING, READY, FAILED, REJECTED, EXPIRED = list(export_pb2.ExportState.values())[1:]
PLATE = "闽B98765"


def row(lot_id: str, record_id: str, ms: int, **facts: Any) -> dict[str, Any]:
    stated = {"lot_id": lot_id, "record_id": record_id, "event_time": ms, "direction": "entry", "vehicle_class": 1}
    stated |= {"plate_number": PLATE, "plate_normal": PLATE, "plate_key": "k" * 16, "plate_masked": "闽B98***"}
    stated |= {"free_spaces": None, "resend": False, "delay_ms": 5, "warnings": [], "log_offset": 1, "gone": 0}
    stated |= {"accept_time": ms}
    return stated | facts


@pytest.fixture(scope="module")
async def town(access: Platform) -> Platform:
    access.registry.state(
        lot(OWN, division_code=TOWN, operator_id=OPERATOR.subject),
        lot(OTHERS, division_code=TOWN),
        lot(CLOSED, division_code=TOWN, state=lot_pb2.LOT_STATE_CLOSED),
    )
    access.put(
        "records_current",
        [
            row(OWN, "r-1", START + 1, free_spaces=7, warnings=[1, 2]),
            row(OWN, "r-2", START + 3_600_123, delay_ms=-4, resend=True, plate_masked="=1+1"),
            row(OTHERS, "r-1", START + 86_399_999, plate_masked="@x"),
            row(CLOSED, "r-1", START + 5),
            row(OWN, "next", START + 86_400_000),
            row(OWN, "void", START + 2, gone=1),
        ],
    )
    async with asyncio.timeout(10):
        while (await asked(access, OPERATOR, lot_ids=[OWN], known=True)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return access


def stub(town: Platform, caller: Caller) -> ExportServiceStub:
    return ExportServiceStub(town.service.channel(caller))


async def asked(town: Platform, caller: Caller = OPERATOR, *, known: bool = False, **facts: Any) -> Any:
    """An export of OWN's columns; None when `known` and the lot is not known yet."""
    stated: dict[str, Any] = {"view": 1, "format": CSV, "start_date": DAY, "columns": COLUMNS, "purpose": "核对"}
    try:
        return await stub(town, caller).RequestExport(messages.RequestExportRequest(**(stated | facts)))
    except grpc.aio.AioRpcError as error:
        if known and error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


async def approved(town: Platform, export: export_pb2.Export, caller: Caller = SUPERVISOR) -> export_pb2.Export:
    return await stub(town, caller).ApproveExport(messages.ApproveExportRequest(export_id=export.export_id))


async def shown(town: Platform, caller: Caller, export_id: str) -> export_pb2.Export:
    return await stub(town, caller).GetExport(messages.GetExportRequest(export_id=export_id))


async def made(town: Platform, caller: Caller = OPERATOR, **facts: Any) -> export_pb2.Export:
    export = await asked(town, caller, **facts)
    await approved(town, export, SECOND)
    async with asyncio.timeout(20):
        while (found := await shown(town, SECOND, export.export_id)).state in (APPROVED, RUNNING):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def taken(town: Platform, caller: Caller, export_id: str, folder: Path) -> tuple[Path, str]:
    """The file, and the content type that came with it."""
    call = stub(town, caller).DownloadExport(messages.DownloadExportRequest(export_id=export_id))
    parts = [part async for part in call]
    headers = {str(name): str(value) for name, value in await call.initial_metadata()}
    path = folder / headers["content-disposition"].split('"')[1]
    path.write_bytes(b"".join(part.data for part in parts))
    return path, parts[0].content_type


async def refused(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    details = str(refusal.value.trailing_metadata())
    reasons = ("SECOND_PERSON_REQUIRED", "STATE_NOT_ALLOWED", "RESOURCE_NOT_FOUND", "LOT_NOT_FOUND", "INVALID_FIELD")
    return next((reason for reason in (*reasons, "METHOD_NOT_ALLOWED") if reason in details), details)


async def test_a_csv_is_made_and_opened_again(town: Platform, tmp_path: Path) -> None:
    export = await made(town)
    assert (export.state, export.rows_done, export.rows_total) == (READY, 2, 2)
    path, kind = await taken(town, OPERATOR, export.export_id, tmp_path)
    assert (kind, path.suffix) == ("text/csv; charset=utf-8", ".csv")
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert (export.bytes, export.digest) == (len(content), hashlib.sha256(content).hexdigest())
    assert list(csv.reader(content.decode("utf-8-sig").splitlines())) == [
        COLUMNS,
        ["r-1", OWN, "2099-11-30T00:00:00.001+08:00", "闽B98***", "7", "false", "5", "[1, 2]"],
        ["r-2", OWN, "2099-11-30T01:00:00.123+08:00", "'=1+1", "", "true", "-4", "[]"],
    ]


async def test_an_xlsx_is_made_and_opened_again(town: Platform, tmp_path: Path) -> None:
    export = await made(town, SUPERVISOR, format=XLSX, lot_ids=[OWN, OTHERS, CLOSED])
    path, kind = await taken(town, SUPERVISOR, export.export_id, tmp_path)
    assert kind.endswith("spreadsheetml.sheet")
    heading, *found = openpyxl.load_workbook(path).worksheets[0].iter_rows()
    assert [cell.value for cell in heading] == COLUMNS
    at = datetime.datetime(2099, 11, 30)  # noqa: DTZ001 - Excel's times have no zone
    assert [[cell.value for cell in each[:5]] for each in found] == [
        ["r-1", CLOSED, at + datetime.timedelta(milliseconds=5), "闽B98***", None],
        ["r-1", OWN, at + datetime.timedelta(milliseconds=1), "闽B98***", 7],
        ["r-2", OWN, at + datetime.timedelta(milliseconds=3_600_123), "=1+1", None],
        ["r-1", OTHERS, at + datetime.timedelta(milliseconds=86_399_999), "@x", None],
    ]
    assert [each[3].data_type for each in found] == ["s"] * 4
    assert found[2][5].value is True


async def test_a_parquet_is_made_and_opened_again(town: Platform, tmp_path: Path) -> None:
    export = await made(town, ANALYST, format=PARQUET, lot_ids=[OWN], columns=[*COLUMNS, "plate_key", "direction"])
    path, kind = await taken(town, ANALYST, export.export_id, tmp_path)
    assert kind == "application/vnd.apache.parquet"
    first, second = parquet.read_table(path).to_pylist()
    assert first["event_time"] == beijing.moment(START + 1)
    assert (first["warnings"], first["free_spaces"], first["direction"]) == ([1, 2], 7, "entry")
    assert (second["plate_masked"], second["free_spaces"], second["resend"], second["delay_ms"]) == (
        "=1+1",
        None,
        True,
        -4,
    )
    assert first["plate_key"] == (b"k" * 16).hex()


async def test_lots_are_exported_without_days(town: Platform, tmp_path: Path) -> None:
    lots: dict[str, Any] = {"view": 2, "start_date": "", "columns": ["lot_id", "open_berths"], "lot_ids": [OWN]}
    assert await refused(asked(town, **(lots | {"start_date": DAY}))) == "INVALID_FIELD"
    async with asyncio.timeout(10):
        while not (export := await made(town, **lots)).rows_total:  # noqa: ASYNC110 - the lot's row comes a moment later
            await asyncio.sleep(0.05)
    path, _ = await taken(town, OPERATOR, export.export_id, tmp_path)
    assert path.read_text("utf-8-sig").splitlines() == ["lot_id,open_berths", f"{OWN},100"]


@pytest.mark.parametrize(
    ("caller", "rows"), [(OPERATOR, 2), (DEPARTMENT, 3), (SUPERVISOR, 4), (ANALYST, 4)], ids=lambda one: str(one)[:40]
)
async def test_a_file_holds_what_is_the_requesters(town: Platform, caller: Caller, rows: int, tmp_path: Path) -> None:
    export = await made(town, caller, columns=[])
    path, _ = await taken(town, caller, export.export_id, tmp_path)
    heading, *found = csv.reader(path.read_text("utf-8-sig").splitlines())
    mine = [each for each in found if TOWN in each[0]]
    assert len(mine) == rows
    assert ("plate_key" in heading) == (caller is ANALYST)
    assert PLATE not in path.read_text("utf-8-sig")


async def test_nobody_approves_alone(town: Platform) -> None:
    export = await asked(town, SUPERVISOR, lot_ids=[OWN])
    assert await refused(approved(town, export, SUPERVISOR)) == "SECOND_PERSON_REQUIRED"
    other_device = Caller(CallerKind.SUPERVISOR, "police", "another-client", SUPERVISOR.account)
    assert await refused(approved(town, export, other_device)) == "SECOND_PERSON_REQUIRED"
    for caller in (OPERATOR, DEPARTMENT, ANALYST, AUDITOR):
        assert await refused(approved(town, export, caller)) == "METHOD_NOT_ALLOWED"
    assert (await shown(town, SUPERVISOR, export.export_id)).state == REQUESTED
    assert (await approved(town, export, ADMINISTRATOR)).decided_by == "client-a"


async def test_a_decision_is_made_once(town: Platform) -> None:
    export = await asked(town)
    rejecting = messages.RejectExportRequest(export_id=export.export_id, remark="用途不明")
    rejected = await stub(town, SUPERVISOR).RejectExport(rejecting)
    assert (rejected.state, rejected.remark, rejected.decided_by) == (REJECTED, "用途不明", "account-s")
    assert await refused(approved(town, export)) == "STATE_NOT_ALLOWED"
    assert await refused(stub(town, SECOND).RejectExport(rejecting)) == "STATE_NOT_ALLOWED"
    download = messages.DownloadExportRequest(export_id=export.export_id)
    assert await refused(stub(town, OPERATOR).DownloadExport(download).read()) == "STATE_NOT_ALLOWED"


async def test_of_two_decisions_at_once_one_holds(town: Platform) -> None:
    export = await asked(town)
    rejecting = stub(town, SECOND).RejectExport(messages.RejectExportRequest(export_id=export.export_id, remark="否"))
    told = await asyncio.gather(approved(town, export), rejecting, return_exceptions=True)
    held = [one for one in told if not isinstance(one, BaseException)]
    assert len(held) == 1
    assert (await shown(town, SECOND, export.export_id)).decided_by == held[0].decided_by


async def test_an_export_of_somebody_else_is_unknown(town: Platform) -> None:
    export = await made(town)
    for caller in (DEPARTMENT, ANALYST, Caller(CallerKind.OPERATOR, OPERATOR.subject, "c", "a-colleague")):
        assert await refused(shown(town, caller, export.export_id)) == "RESOURCE_NOT_FOUND"
        assert await refused(shown(town, caller, "export-nobodys")) == "RESOURCE_NOT_FOUND"
    download = messages.DownloadExportRequest(export_id=export.export_id)
    assert await refused(stub(town, SUPERVISOR).DownloadExport(download).read()) == "RESOURCE_NOT_FOUND"
    assert (await shown(town, AUDITOR, export.export_id)).state == READY


async def test_lists_hold_ones_own_the_newest_first(town: Platform) -> None:
    somebody = Caller(CallerKind.DEPARTMENT, "transport", "client-t", "account-t")
    ids = sorted([(await asked(town, somebody)).export_id for _ in range(3)])
    seen: list[str] = []
    token = ""
    while True:
        page = await stub(town, somebody).ListExports(messages.ListExportsRequest(page_size=2, page_token=token))
        seen += [one.export_id for one in page.exports]
        token = page.next_page_token
        if not token:
            break
    assert seen == ids
    everybodys = await stub(town, AUDITOR).ListExports(messages.ListExportsRequest(states=[REQUESTED], page_size=1000))
    assert set(ids) <= {one.export_id for one in everybodys.exports}
    ready = await stub(town, somebody).ListExports(messages.ListExportsRequest(states=[READY]))
    assert not ready.exports


async def test_the_same_request_asks_once(town: Platform) -> None:
    first, again = [await asked(town, request_id="once") for _ in range(2)]
    assert first == again
    assert (await asked(town, DEPARTMENT, request_id="once")).export_id != first.export_id


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"lot_ids": [OTHERS]}, "LOT_NOT_FOUND"),
        ({"lot_ids": ["nowhere"]}, "LOT_NOT_FOUND"),
        ({"columns": ["plate_number"]}, "INVALID_FIELD"),
        ({"columns": ["plate_key"]}, "INVALID_FIELD"),
        ({"columns": ["a`b"]}, "INVALID_FIELD"),
        ({"purpose": ""}, "INVALID_FIELD"),
        ({"start_date": ""}, "INVALID_FIELD"),
        ({"view": 0}, "INVALID_FIELD"),
        ({"format": 9}, "INVALID_FIELD"),
    ],
)
async def test_a_bad_request_is_refused(town: Platform, facts: dict[str, Any], reason: str) -> None:
    assert await refused(asked(town, **facts)) == reason


async def test_more_rows_than_a_sheet_holds_are_refused_at_once(
    town: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_XLSX_ROWS", 1)
    assert await refused(asked(town, format=XLSX)) == "INVALID_FIELD"
    assert (await asked(town, format=PARQUET)).rows_total == 2


async def test_all_of_it_is_noted_and_read_again_from_the_history(town: Platform, tmp_path: Path) -> None:
    export = await made(town)
    for _ in range(2):
        await taken(town, OPERATOR, export.export_id, tmp_path)
    rejected = await asked(town)
    await stub(town, SECOND).RejectExport(messages.RejectExportRequest(export_id=rejected.export_id, remark="否"))
    want = [await shown(town, SECOND, each) for each in (export.export_id, rejected.export_id)]
    assert [one.downloads for one in want] == [2, 0]
    account = Account(town.history.url, "reader", town.history.secrets["reader"])
    async with (
        HistoryClient(account) as history,
        await EventLog.open(town.log.url, name=JOURNAL, clock=town.clock.now_ms) as log,
    ):
        async with asyncio.timeout(20):
            while True:
                book = ExportBook()
                await book._load(log, history)
                known = [book.get(one.export_id) for one in want]
                if [one and one.told(town.clock.now_ms()) for one in known] == want:
                    return
                await asyncio.sleep(0.05)


def entries(export_id: str, *, approve: bool = True, format: int = CSV) -> list[tuple[str, JournalEntry]]:  # noqa: A002
    asked = ExportRequest(
        export_id=export_id,
        view=export_pb2.EXPORT_VIEW_RECORDS,
        format=cast(Any, format),
        columns=["record_id"],
        kind="operator",
        account_id="a",
        start_ms=START,
        end_ms=START + beijing.DAY_MS,
    )
    noted = [(export_id, JournalEntry(export_request=asked))]
    if approve:
        decision = ExportDecision(export_id=export_id, approved=True, account_id="b")
        noted.append((export_id, JournalEntry(export_decision=decision)))
    return noted


class Blank:
    """A ClickHouse that holds nothing."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    async def rows(self, *_: object, **__: object) -> list[tuple[Any, ...]]:
        return []

    async def ping(self) -> None:
        if self.away:
            raise HistoryUnavailable("no answer")


class StatedRows(ExportRows):
    """Rows that a test states: numbers from 0, in blocks of two; after the first block it waits when it is told to."""

    def __init__(self, rows: int, *, hangs: bool = False, own: Sequence[str] = (OWN,)) -> None:
        super().__init__(cast(Any, None), cast(HistoryClient, Blank()))
        object.__setattr__(self, "stated", (rows, hangs, own))
        object.__setattr__(self, "counted", [])

    async def columns(self, view: Any) -> list[tuple[str, str]]:
        return [("record_id", "String")]

    def lots(self, request: ExportRequest, now_ms: int) -> list[str]:
        return list(self.stated[2])  # type: ignore[attr-defined]

    async def count(self, request: ExportRequest, lots: Sequence[str]) -> int:
        self.counted.append(request.export_id)  # type: ignore[attr-defined]
        return int(self.stated[0])  # type: ignore[attr-defined]

    async def blocks(self, request: ExportRequest, lots: Sequence[str]) -> AsyncIterator[list[Row]]:
        rows, hangs, _ = self.stated  # type: ignore[attr-defined]
        for number in range(0, rows, 2):
            yield [(f"r-{each}",) for each in range(number, min(number + 2, rows))]
            if hangs:
                await asyncio.Event().wait()


class SlowRows(StatedRows):
    """Rows that no query gives in time, of a ClickHouse that answers otherwise unless it is `away`."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__(1)
        object.__setattr__(self, "history", Blank(away=away))

    async def blocks(self, request: ExportRequest, lots: Sequence[str]) -> AsyncIterator[list[Row]]:
        raise HistoryUnavailable("deadline exceeded")
        yield []


class Office:
    """A journal of its own, and the processes that come and go over it."""

    def __init__(self, log: EventLog, folder: Path) -> None:
        self.log, self.folder, self.clock = log, folder, ManualClock()
        self.free = 1 << 40
        self.pauses: list[float] = []

    async def note(self, *noted: tuple[str, JournalEntry]) -> None:
        for key, entry in noted:
            await Journal(self.log).note(key, entry, hashlib.sha256(entry.SerializeToString()).digest())

    async def until(self, rows: ExportRows, export_id: str, reached: Callable[[Known], bool]) -> Known:
        """Runs a process until the export is there, then ends it as a kill would."""
        book = ExportBook()
        blank = cast(HistoryClient, Blank())
        maker = self.maker(book, rows, Journal(self.log))
        tasks = [asyncio.create_task(work) for work in (book.follow(self.log, blank), maker.run(self._pause))]
        async with asyncio.timeout(10):
            while not ((known := book.get(export_id)) and reached(known)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return known

    def maker(self, book: ExportBook, rows: ExportRows, journal: Journal) -> ExportMaker:
        """A process's maker of files."""
        progress = Progress(self.log, cast(HistoryClient, Blank()))
        return ExportMaker(book, journal, rows, progress, self.folder, 1000, self.clock, 1000, lambda _: self.free)

    def exports(self, book: ExportBook, rows: ExportRows) -> Exports:
        """A process's use cases over what the book was told."""
        book.loaded.set()
        return Exports(book, Journal(self.log), rows, self.folder, SequentialIds(), Turns(4, 1), 3)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.001)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    with running(tmp_path / "log") as server:
        async with await EventLog.open(server.url, name=JOURNAL, clock=lambda: NOW_MS) as log:
            yield Office(log, tmp_path / "files")


@pytest.mark.parametrize("format", [CSV, XLSX, PARQUET])
async def test_what_was_being_made_when_it_was_killed_is_made_again(office: Office, format: int) -> None:  # noqa: A002
    await office.note(*entries("export-1", format=format))
    begun = await office.until(StatedRows(5, hangs=True), "export-1", lambda known: known.rows_done == 2)
    assert begun.outcome is None
    assert begun.state(NOW_MS) == APPROVED  # the process that wrote it is gone
    done = await office.until(StatedRows(5), "export-1", lambda known: known.outcome is not None)
    assert done.state(NOW_MS) == READY
    assert done.told(NOW_MS).rows_done == 5
    (file,) = office.folder.iterdir()
    assert done.outcome
    assert hashlib.sha256(file.read_bytes()).digest() == done.outcome.digest
    # A third process finds it done, and does nothing.
    again = await office.until(StatedRows(9), "export-1", lambda known: known.outcome is not None)
    assert again.outcome == done.outcome


async def test_a_file_goes_when_its_time_is_over(office: Office) -> None:
    await office.note(*entries("export-1"))
    done = await office.until(StatedRows(1), "export-1", lambda known: known.outcome is not None)
    assert [file.name for file in office.folder.iterdir()] == ["export-1.csv"]
    office.clock.advance(1000)
    assert done.state(office.clock.now_ms()) == EXPIRED
    await office.until(StatedRows(1), "export-1", lambda known: not list(office.folder.iterdir()))


async def test_what_cannot_be_made_says_why(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_XLSX_ROWS", 3)
    await office.note(*entries("too-many", format=XLSX), *entries("nobodys"), *entries("waiting", approve=False))
    full = await office.until(StatedRows(5), "too-many", lambda known: known.outcome is not None)
    assert full.told(NOW_MS).failure == export_pb2.EXPORT_FAILURE_TOO_MANY_ROWS
    assert full.state(NOW_MS) == FAILED
    await office.note(*entries("nobodys-2"))
    none = await office.until(StatedRows(5, own=()), "nobodys-2", lambda known: known.outcome is not None)
    assert none.told(NOW_MS).failure == export_pb2.EXPORT_FAILURE_NOT_ALLOWED
    waiting = await office.until(StatedRows(5), "waiting", lambda known: True)
    assert waiting.state(NOW_MS) == REQUESTED
    assert not list(office.folder.glob("*.part"))


async def test_a_disk_that_is_full_ends_an_export(office: Office) -> None:
    await office.note(*entries("export-1"))
    office.free = 999
    full = await office.until(StatedRows(5), "export-1", lambda known: known.outcome is not None)
    assert full.told(NOW_MS).failure == export_pb2.EXPORT_FAILURE_NO_SPACE
    assert not list(office.folder.glob("*.csv")) + list(office.folder.glob("*.part"))


async def test_rows_that_never_come_in_time_end_an_export(office: Office) -> None:
    await office.note(*entries("export-1"))
    given_up = await office.until(SlowRows(), "export-1", lambda known: known.outcome is not None)
    assert given_up.told(NOW_MS).failure == export_pb2.EXPORT_FAILURE_PLATFORM
    assert office.pauses == [2, 4, 8, 16]


async def test_an_export_outlasts_a_clickhouse_that_is_away(office: Office) -> None:
    await office.note(*entries("export-1"))
    waits = await office.until(SlowRows(away=True), "export-1", lambda known: len(office.pauses) > 8)
    assert (waits.outcome, set(office.pauses)) == (None, {1})


class Forgetful(Journal):
    """A journal that tells of nothing at the first time."""

    asked = 0

    async def noted(self, kind: str, key: str) -> JournalEntry | None:
        self.asked += 1
        return None if self.asked == 1 else await super().noted(kind, key)


@pytest.mark.parametrize("journal", [Journal, Forgetful])
async def test_the_file_that_is_noted_is_kept(office: Office, journal: type[Journal]) -> None:
    content = b"the file that was noted, though no answer came"
    ready = ExportEvent(export_id="export-1", event_id="made", event=cast(Any, 1), expire_ms=NOW_MS)
    ready.digest = hashlib.sha256(content).digest()
    await office.note(("export-1:made", JournalEntry(export_event=ready)))
    office.folder.mkdir()
    (office.folder / "export-1.csv").write_bytes(content)
    book = ExportBook()
    for _, entry in entries("export-1"):
        book.apply(entry)
    known = book.get("export-1")
    assert known
    await office.maker(book, StatedRows(5), journal(office.log)).make(known)
    assert known.outcome == ready
    assert [(file.name, file.read_bytes()) for file in office.folder.iterdir()] == [("export-1.csv", content)]


def wanted(request_id: str, **facts: Any) -> messages.RequestExportRequest:
    stated: dict[str, Any] = {"view": 1, "format": CSV, "start_date": DAY, "purpose": "核对", "request_id": request_id}
    return messages.RequestExportRequest(**(stated | facts))


async def test_asked_again_nothing_is_counted_nor_noted_again(office: Office) -> None:
    book, rows = ExportBook(), StatedRows(5)
    desk = office.exports(book, rows)
    first = await desk.request(OPERATOR, wanted("once"), NOW_MS)
    assert await desk.request(OPERATOR, wanted("once"), NOW_MS + 5) == first
    assert rows.counted == [first.export_id]  # type: ignore[attr-defined]
    # Another process, which has not followed the journal yet, and more rows by now.
    elsewhere = office.exports(ExportBook(), StatedRows(7))
    assert await elsewhere.request(OPERATOR, wanted("once"), NOW_MS + 5) == first
    assert await elsewhere.request(OPERATOR, wanted("once", purpose="其他"), NOW_MS + 5) == first


def test_an_entry_is_known_again_by_what_it_says() -> None:
    first, later, other = (
        JournalEntry(export_request=ExportRequest(purpose=purpose, rows=number, note_ms=number), note_ms=number)
        for purpose, number in (("核对", 1), ("核对", 2), ("其他", 1))
    )
    assert exports._digest(first) == exports._digest(later) != exports._digest(other)


async def test_one_requester_waits_for_some_exports_only(office: Office) -> None:
    desk = office.exports(ExportBook(), StatedRows(5))
    told = [await desk.request(OPERATOR, wanted(str(number)), NOW_MS) for number in range(3)]
    with pytest.raises(MeshError) as refusal:
        await desk.request(OPERATOR, wanted("more"), NOW_MS)
    assert refusal.value.reason == reasons.ERROR_REASON_RATE_LIMITED
    assert await desk.request(OPERATOR, wanted("0"), NOW_MS) == told[0]
    await desk.request(DEPARTMENT, wanted("more"), NOW_MS)
    await desk.decide(SUPERVISOR, told[0].export_id, approved=False, remark="否", now_ms=NOW_MS)
    await desk.request(OPERATOR, wanted("more"), NOW_MS)


async def test_a_decision_said_again_is_the_same(office: Office) -> None:
    book = ExportBook()
    desk = office.exports(book, StatedRows(5))
    export_id = (await desk.request(OPERATOR, wanted("once"), NOW_MS)).export_id
    elsewhere = office.exports(ExportBook(), StatedRows(5))
    await elsewhere.request(OPERATOR, wanted("once"), NOW_MS)
    first = await desk.decide(SUPERVISOR, export_id, approved=True, remark="可", now_ms=NOW_MS + 1)
    for process in (desk, elsewhere):
        again = await process.decide(SUPERVISOR, export_id, approved=True, remark="可", now_ms=NOW_MS + 9)
        assert again == first
    for caller, approve in ((SUPERVISOR, False), (SECOND, True)):
        with pytest.raises(MeshError) as refusal:
            await desk.decide(caller, export_id, approved=approve, remark="可", now_ms=NOW_MS)
        assert refusal.value.reason == reasons.ERROR_REASON_STATE_NOT_ALLOWED


@pytest.mark.parametrize(
    ("own", "moved", "reason"),
    [
        ((), {}, reasons.ERROR_REASON_LOT_NOT_FOUND),
        ((OWN,), {"subject": "operator-9"}, reasons.ERROR_REASON_RESOURCE_NOT_FOUND),
        ((OWN,), {"kind": CallerKind.DEPARTMENT}, reasons.ERROR_REASON_RESOURCE_NOT_FOUND),
        ((OWN,), {}, reasons.ERROR_REASON_SERVICE_UNAVAILABLE),  # all is well but for the file
    ],
)
async def test_whose_rights_are_gone_takes_no_file(
    office: Office, own: Sequence[str], moved: dict[str, Any], reason: int
) -> None:
    book = ExportBook()
    desk = office.exports(book, StatedRows(5, own=own))
    export_id = (await desk.request(OPERATOR, wanted("once"), NOW_MS)).export_id
    await desk.decide(SUPERVISOR, export_id, approved=True, remark="", now_ms=NOW_MS)
    ready = ExportEvent(export_id=export_id, event_id="made", event=cast(Any, 1), expire_ms=NOW_MS + 1)
    book.apply(JournalEntry(export_event=ready))
    with pytest.raises(MeshError) as refusal:
        await desk.download(dataclasses.replace(OPERATOR, **moved), export_id, NOW_MS)
    assert refusal.value.reason == reason


def test_what_is_long_over_is_forgotten() -> None:
    book = ExportBook()
    for name, approve in (("waiting", False), ("approved", True), ("ready", True), ("expired", True), ("failed", True)):
        for _, entry in entries(name, approve=approve):
            book.apply(entry)
    no = ExportDecision(export_id="rejected", note_ms=NOW_MS)
    book.apply(entries("rejected", approve=False)[0][1])
    book.apply(JournalEntry(export_decision=no))
    month = 30 * beijing.DAY_MS
    for name, kind, until in (("ready", 1, NOW_MS + 2 * month), ("expired", 1, NOW_MS), ("failed", 2, 0)):
        told = ExportEvent(export_id=name, event=cast(Any, kind), expire_ms=until, note_ms=NOW_MS)
        book.apply(JournalEntry(export_event=told))
    book.forget(NOW_MS + month)
    assert len(list(book.all())) == 6
    book.forget(NOW_MS + month + 1)
    assert {known.request.export_id for known in book.all()} == {"waiting", "approved", "ready"}


def test_entries_in_any_order_make_the_same_book() -> None:
    noted = [entry for _, entry in entries("export-1")]
    ready = ExportEvent(export_id="export-1", event_id="made", event=cast(Any, 1), rows=3, expire_ms=NOW_MS + 1)
    late = ExportEvent(export_id="export-1", event_id="d-1", event=cast(Any, 3))
    noted += [JournalEntry(export_event=ready), JournalEntry(export_event=late), JournalEntry(export_event=late)]
    books = [ExportBook(), ExportBook()]
    for book, order in zip(books, (noted, noted[::-1]), strict=True):
        for entry in order:
            book.apply(entry)
    first, second = (known.told(NOW_MS) for book in books if (known := book.get("export-1")))
    assert first == second
    assert (first.state, first.downloads, first.rows_done) == (READY, 1, 3)


@pytest.mark.parametrize("told", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"])
def test_a_text_is_no_formula(told: str) -> None:
    assert cells.text(told) == f"'{told}"


def test_cells() -> None:
    assert [cells.text(value) for value in (None, -5, 1.5, True, "a=b", b"\x01", ["a", 1])] == [
        "",
        "-5",
        "1.5",
        "true",
        "a=b",
        "01",
        '["a", 1]',
    ]


def test_the_pseudonym_is_for_analysts() -> None:
    assert allowed(["a", "plate_key"], CallerKind.ANALYST) == ["a", "plate_key"]
    assert allowed(["a", "plate_key"], CallerKind.SUPERVISOR) == ["a"]


async def test_no_view_of_the_list_holds_a_plate(town: Platform) -> None:
    account = Account(town.history.url, "reader", town.history.secrets["reader"])
    async with HistoryClient(account) as history:
        rows = ExportRows(cast(Any, None), history)
        for view in VIEWS.values():
            names = [name for name, _ in await rows.columns(view)]
            assert "lot_id" in names
            assert not {"plate_number", "plate_normal"} & set(names)


async def test_vendors_export_nothing(town: Platform) -> None:
    assert await refused(asked(town, Caller(CallerKind.VENDOR, VENDOR, "client-1"))) == "METHOD_NOT_ALLOWED"
