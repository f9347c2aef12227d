"""Looking plates up: who finds what, and that nothing is answered that is not recorded."""

import itertools
import pathlib

import grpc
import pytest
from access_records.records.plates import PlateReader
from access_records.settings import VisitSettings
from access_records.testing import LOT, NOW_MS, OPERATOR, OTHER_LOT, PLATE_KEY, Platform, composed_alone, entry
from access_records.visits.app import follower
from access_records.visits.search import Asked, LookingUp, Place, Wanted
from eventlog import EventLog, LogUnavailable, Outcome
from history.client import Account, HistoryClient
from mesh.caller import Caller, CallerKind
from mesh.errors import MeshError
from mesh.testing import SequentialIds
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, visit_pb2
from parkmesh.access.v1.journal_pb2 import JournalEntry
from parkmesh.errors.v1 import error_reason_pb2 as reasons

SUPERVISOR = Caller(CallerKind.SUPERVISOR, "police", "client-supervisor", "account-supervisor")
AUDITOR = Caller(CallerKind.AUDIT_ADMINISTRATOR, "audit", "client-audit", "account-audit")
HOUR_MS = 3_600_000
PLATE = "闽B2AB34"
_fresh = itertools.count()


async def catch_up(access: Platform) -> None:
    """Returns when history and visits have followed the record log."""
    await access.drained()
    account = Account(access.history.url, "writer", access.history.secrets["writer"])
    async with await EventLog.open(access.log.url, clock=access.clock.now_ms) as log, HistoryClient(account) as client:
        one = follower(VisitSettings(), access.clock, log, client, 0)
        await one.follow(await one.begin(), (await log.end(0)).offset)


@pytest.fixture(scope="module")
async def parked(access: Platform) -> Platform:
    """One vehicle in two lots: two hours in LOT, and OTHER_LOT, where it still is."""
    records = [
        entry("look-in", ms=NOW_MS - 5 * HOUR_MS, plate_number=PLATE),
        entry(
            "look-out",
            ms=NOW_MS - 3 * HOUR_MS,
            plate_number=PLATE,
            direction=record_pb2.DIRECTION_EXIT,
            lane_id="out",
        ),
        entry("look-still", lot_id=OTHER_LOT, ms=NOW_MS - HOUR_MS, plate_number=PLATE),
    ]
    answer = await access.stub().UploadRecords(messages.UploadRecordsRequest(records=records))
    assert answer.all_stored
    await catch_up(access)
    return access


def asking(**more: object) -> messages.SearchVisitsRequest:
    request = messages.SearchVisitsRequest(
        plate_number=PLATE,
        purpose="盗窃案",
        case_number=f"A-{next(_fresh)}",
        **more,  # type: ignore[arg-type]
    )
    request.start_time.FromMilliseconds(NOW_MS - 24 * HOUR_MS)
    request.end_time.FromMilliseconds(NOW_MS)
    return request


async def noted(access: Platform, look_up_id: str) -> JournalEntry:
    """What the journal holds of a look-up."""
    async with await EventLog.open(access.log.url, clock=access.clock.now_ms, name="journal") as log:
        for one in await log.read(log.start(0)):
            for payload in one.payloads:
                noted = JournalEntry.FromString(payload)
                if noted.look_up.look_up_id == look_up_id:
                    assert PLATE.encode() not in payload
                    assert b"2AB34" not in payload
                    return noted
    raise AssertionError("not noted")


async def test_a_supervisor_finds_a_vehicle_in_all_lots_and_is_recorded(parked: Platform) -> None:
    request = asking()
    found = await parked.stub(SUPERVISOR).SearchVisits(request)
    assert [(one.lot_id, one.entry_record_id, one.exit_record_id, one.state) for one in found.visits] == [
        (LOT, "look-in", "look-out", visit_pb2.VISIT_STATE_CLOSED),
        (OTHER_LOT, "look-still", "", visit_pb2.VISIT_STATE_OPEN),
    ]
    assert found.visits[0].dwell_seconds == 2 * 3600
    assert not found.visits[1].HasField("dwell_seconds")
    assert found.visits[0].exit_time.ToMilliseconds() == NOW_MS - 3 * HOUR_MS
    assert "2AB34" not in str(found)

    look_up = (await noted(parked, found.look_up_id)).look_up
    assert (look_up.method, look_up.account_id, look_up.subject_id) == ("SearchVisits", SUPERVISOR.account, "police")
    assert (look_up.purpose, look_up.case_number) == (request.purpose, request.case_number)
    assert look_up.plate_key == PlateReader(PLATE_KEY).pseudonym(PLATE)
    assert (look_up.start_ms, look_up.end_ms) == (NOW_MS - 24 * HOUR_MS, NOW_MS)


@pytest.mark.slow
async def test_a_search_says_until_when_it_knows_all(tmp_path: pathlib.Path) -> None:
    """Nothing is claimed while the visits lack what the log holds no more."""
    async with composed_alone(tmp_path) as access:
        early, late, later = (entry(name, plate_number=PLATE) for name in ("look-early", "look-late", "look-later"))
        stub = access.stub(SUPERVISOR)
        await access.stub().UploadRecords(messages.UploadRecordsRequest(records=[early]))
        await access.forget()
        await access.stub().UploadRecords(messages.UploadRecordsRequest(records=[late]))
        assert not (await stub.SearchVisits(asking())).HasField("complete_until")
        await catch_up(access)
        found = await stub.SearchVisits(asking())
        uploaded_ms = access.clock.now_ms()
        assert found.complete_until.ToMilliseconds() == uploaded_ms
        assert [one.entry_record_id for one in found.visits] == ["look-early"]

        await access.stub().UploadRecords(messages.UploadRecordsRequest(records=[later]))
        access.clock.advance(60_000)
        assert (await stub.SearchVisits(asking())).complete_until.ToMilliseconds() == uploaded_ms
        await catch_up(access)
        assert (await stub.SearchVisits(asking())).complete_until.ToMilliseconds() == uploaded_ms + 60_000


async def test_an_operator_finds_it_in_its_own_lots_only(parked: Platform) -> None:
    found = await parked.stub(OPERATOR).SearchVisits(asking())
    assert [one.lot_id for one in found.visits] == [LOT]


async def test_the_window_and_the_colour_narrow_a_search(parked: Platform) -> None:
    stub = parked.stub(SUPERVISOR)
    request = asking()
    request.start_time.FromMilliseconds(NOW_MS - 3 * HOUR_MS + 1)
    assert [one.lot_id for one in (await stub.SearchVisits(request)).visits] == [OTHER_LOT]
    request.start_time.FromMilliseconds(NOW_MS - 24 * HOUR_MS)
    request.end_time.FromMilliseconds(NOW_MS - HOUR_MS)
    assert [one.lot_id for one in (await stub.SearchVisits(request)).visits] == [LOT]
    assert not (await stub.SearchVisits(asking(plate_colour=record_pb2.PLATE_COLOUR_YELLOW))).visits


async def test_a_search_goes_on_where_its_page_ended(parked: Platform) -> None:
    stub = parked.stub(SUPERVISOR)
    first = await stub.SearchVisits(asking(page_size=1))
    request = asking(page_size=1, page_token=first.next_page_token)
    second = await stub.SearchVisits(request)
    assert [one.lot_id for one in (*first.visits, *second.visits)] == [LOT, OTHER_LOT]
    assert not second.next_page_token
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await parked.stub(OPERATOR).SearchVisits(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("field", ["purpose", "case_number", "plate_number", "start_time", "end_time"])
async def test_a_search_says_what_it_is_for(access: Platform, field: str) -> None:
    request = asking()
    request.ClearField(field)  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub(SUPERVISOR).SearchVisits(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("text", [f"找 {PLATE}", "b-2ab 34"])
async def test_a_purpose_that_holds_the_plate_is_refused(access: Platform, text: str) -> None:
    request = asking()
    request.purpose = text
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub(SUPERVISOR).SearchVisits(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_guess_that_the_refusal_would_confirm_is_recorded_before_it_is_refused(parked: Platform) -> None:
    async def recorded() -> int:
        auditor = parked.stub(AUDITOR)
        await parked.drained()
        listed = await auditor.ListLookUps(messages.ListLookUpsRequest(page_size=1000))
        return sum(
            (one.method, one.purpose, one.record_id) == ("RevealPlate", "***", "look-in") for one in listed.look_ups
        )

    before = await recorded()
    request = messages.RevealPlateRequest(lot_id=LOT, record_id="look-in", purpose=f"find {PLATE}", case_number="B-1")
    with pytest.raises(grpc.aio.AioRpcError):
        await parked.stub(SUPERVISOR).RevealPlate(request)
    assert await recorded() == before + 1


async def test_a_supervisor_is_given_the_plate_of_a_record_and_is_recorded(parked: Platform) -> None:
    request = messages.RevealPlateRequest(lot_id=LOT, record_id="look-in", purpose="核查", case_number="B-1")
    answer = await parked.stub(SUPERVISOR).RevealPlate(request)
    assert answer.plate_number == PLATE
    look_up = (await noted(parked, answer.look_up_id)).look_up
    assert (look_up.method, look_up.lot_id, look_up.record_id) == ("RevealPlate", LOT, "look-in")
    for other in (OPERATOR, AUDITOR):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await parked.stub(other).RevealPlate(request)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_the_audit_administrator_lists_look_ups_the_latest_first(parked: Platform) -> None:
    await parked.stub(SUPERVISOR).SearchVisits(asking())
    latest = await parked.stub(OPERATOR).SearchVisits(asking())
    page = messages.ListLookUpsResponse()
    while latest.look_up_id not in [one.look_up_id for one in page.look_ups]:
        page = await parked.stub(AUDITOR).ListLookUps(messages.ListLookUpsRequest())
    ids = [one.look_up_id for one in page.look_ups]
    paged: list[str] = []
    token = ""
    while token or not paged:
        part = await parked.stub(AUDITOR).ListLookUps(messages.ListLookUpsRequest(page_size=2, page_token=token))
        paged += [one.look_up_id for one in part.look_ups]
        token = part.next_page_token
    assert paged == ids
    assert "2AB34" not in str(page)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await parked.stub(SUPERVISOR).ListLookUps(messages.ListLookUpsRequest())
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


class Away:
    """A journal that does not answer, and a history that must not be asked."""

    async def note(self, key: str, entry: JournalEntry, digest: bytes) -> Outcome:
        raise LogUnavailable

    async def rows(self, *_: object) -> None:
        raise AssertionError("asked before the look-up was recorded")


async def test_what_cannot_be_recorded_is_refused() -> None:
    away = Away()
    looking_up = LookingUp(away, None, None, away, PlateReader(PLATE_KEY), SequentialIds())  # type: ignore[arg-type]
    wanted = Wanted(PLATE, 0, NOW_MS - 1, NOW_MS)
    with pytest.raises(MeshError) as refused:
        await looking_up.visits(SUPERVISOR, Place(True, ()), wanted, Asked("p", "c"), 10, "", NOW_MS)
    assert refused.value.reason == reasons.ERROR_REASON_LOG_UNAVAILABLE
