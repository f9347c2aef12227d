"""The service as vendors call it, over a real log and a real history."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import clickhouse_connect
import grpc
import pytest
from access_records.testing import (
    COLLECTOR,
    DEVICE,
    FOREIGN_LOT,
    LOT,
    OPERATOR,
    OTHER_LOT,
    VENDOR,
    Platform,
    entry,
)
from directory.testing import account, credential, grant
from mesh.caller import Caller, CallerKind
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import role_pb2
from vocabulary.record import digest_of, facts_of

_fresh = itertools.count()


def fresh(prefix: str = "r") -> str:
    """A record id that no other test uses."""
    return f"{prefix}-{next(_fresh)}"


async def upload(access: Platform, *records: record_pb2.AccessRecord) -> messages.UploadRecordsResponse:
    return await access.stub().UploadRecords(messages.UploadRecordsRequest(records=records))


async def test_what_is_new_is_accepted_and_its_repetition_a_duplicate(access: Platform) -> None:
    record = entry(fresh())
    first = await upload(access, record)
    assert (first.all_stored, first.accepted, list(first.items)) == (True, 1, [])
    assert first.server_time.ToMilliseconds() == access.clock.now_ms()

    record.resend = True
    again = await upload(access, record)
    assert (again.all_stored, again.duplicate) == (True, 1)
    assert again.items[0].outcome == messages.OUTCOME_DUPLICATE
    assert again.items[0].record_id == record.record_id


async def test_a_changed_fact_is_a_conflict_that_names_the_field_and_changes_nothing(access: Platform) -> None:
    record = entry(fresh())
    await upload(access, record)
    answer = await upload(access, entry(record.record_id, plate_number="闽B54321"))
    assert (answer.all_stored, answer.conflicting) == (False, 1)
    item = answer.items[0]
    assert item.reason == reasons.ERROR_REASON_CONFLICTS_WITH_STORED
    assert item.field == "records[0].plateNumber"
    assert not item.retryable
    stored = await access.stub().GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id=record.record_id))
    assert stored.record.plate_number == "闽B12345"


async def test_a_whole_batch_of_conflicts_is_told_so_and_holds_back_nothing(access: Platform) -> None:
    records = [entry(fresh()) for _ in range(999)]
    assert (await upload(access, *records)).accepted == 999
    for record in records:
        record.device_id = "other"
    answer = await upload(access, *records, entry(fresh()))
    assert (answer.accepted, answer.conflicting) == (1, 999)
    assert {item.field.partition(".")[2] for item in answer.items} == {"deviceId"}
    assert {item.message_zh for item in answer.items} == {"该标识的记录已存储，且此字段内容不同；如需更正请提交纠正"}


async def test_an_entry_and_its_exit_under_one_id_are_told_so(access: Platform) -> None:
    record = entry(fresh())
    await upload(access, record)
    answer = await upload(access, entry(record.record_id, direction=record_pb2.DIRECTION_EXIT, lane_id="out"))
    assert answer.items[0].field == "records[0].recordId"
    assert "two record ids" in answer.items[0].message
    assert "各用一个记录编号" in answer.items[0].message_zh


async def test_the_same_id_twice_in_a_batch_is_judged_against_the_first(access: Platform) -> None:
    record = entry(fresh())
    answer = await upload(access, record, record, entry(record.record_id, gate_id="g9"))
    assert (answer.accepted, answer.duplicate, answer.conflicting) == (1, 1, 1)
    assert [item.index for item in answer.items] == [1, 2]


async def test_an_old_and_a_young_record_of_one_id_are_judged_in_order(access: Platform) -> None:
    old = entry(fresh(), ms=access.clock.now_ms() - 80 * 3_600_000)
    answer = await upload(access, old, entry(old.record_id))
    assert (answer.accepted, answer.conflicting) == (1, 1)
    assert answer.items[0].index == 1
    stored = await access.stub().GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id=old.record_id))
    assert stored.record.event_time == old.event_time


async def test_bad_records_never_hold_back_good_ones(access: Platform) -> None:
    good = [entry(fresh()), entry(fresh(), lot_id=OTHER_LOT)]
    bad = [
        entry(fresh(), lot_id=FOREIGN_LOT),
        entry(fresh(), lot_id="lot_999999999999"),
        entry("x" * 65),
        entry(fresh(), vehicle_class=0),
        entry(fresh(), plate_number="不是号牌"),
        record_pb2.AccessRecord(),
    ]
    answer = await upload(access, good[0], *bad, good[1])
    assert (answer.accepted, answer.rejected, answer.all_stored) == (2, len(bad), False)
    by_index = {item.index: item for item in answer.items}
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in item.message_zh) for item in answer.items)
    foreign, unknown = by_index[1], by_index[2]
    assert (foreign.reason, foreign.field.replace("[1]", ""), foreign.message, foreign.message_zh) == (
        unknown.reason,
        unknown.field.replace("[2]", ""),
        unknown.message,
        unknown.message_zh,
    )
    assert foreign.reason == reasons.ERROR_REASON_LOT_NOT_FOUND
    assert by_index[3].field == "records[2].recordId".replace("2", "3")
    assert by_index[3].record_id == ""
    assert (by_index[3].message, by_index[3].message_zh) == (
        "must be 1 to 64 letters, digits, `_` or `-`",
        "须为 1 至 64 个字母、数字、“_”或“-”",
    )
    assert by_index[4].field == "records[4].vehicleClass"
    assert by_index[5].reason == reasons.ERROR_REASON_PLATE_MALFORMED
    assert by_index[6].reason == reasons.ERROR_REASON_INVALID_FIELD


async def test_unusual_records_are_accepted_with_their_warnings(access: Platform) -> None:
    answer = await upload(access, entry(fresh(), gate_id="g7"))
    assert answer.all_stored
    assert list(answer.items[0].warnings) == [reasons.WARNING_UNKNOWN_GATE]
    assert answer.items[0].outcome == messages.OUTCOME_ACCEPTED


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_of_a_wrong_size_is_refused_whole(access: Platform, count: int) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await upload(access, *[entry(f"many-{index}") for index in range(count)])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_batch_of_a_thousand_is_stored_whole(access: Platform) -> None:
    records = [entry(fresh("k"), lot_id=(LOT, OTHER_LOT)[index % 2]) for index in range(1000)]
    assert (await upload(access, *records)).accepted == 1000
    assert (await upload(access, *records)).duplicate == 1000


async def test_a_record_is_read_back_from_the_moment_it_was_acknowledged(access: Platform) -> None:
    record = entry(
        fresh(),
        ms=access.clock.now_ms() - 1000,
        free_spaces=0,
        image_ids=["a", "b"],
        confidence_permille=0,
        device_id="cam-1",
    )
    await upload(access, record)
    stored = await access.stub().GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id=record.record_id))
    assert stored.record == record
    assert stored.delay_ms == 1000
    assert stored.digest == digest_of(facts_of(record)).hex()
    assert stored.vendor_id == "vendor-1"
    assert stored.record.HasField("free_spaces")


@pytest.mark.parametrize(("reporter", "lot_id"), [(DEVICE, LOT), (COLLECTOR, OTHER_LOT)])
async def test_devices_and_collectors_report_for_their_own_lots_alone(
    access: Platform, reporter: Caller, lot_id: str
) -> None:
    records = [entry(fresh(), lot_id=lot) for lot in (LOT, OTHER_LOT, FOREIGN_LOT, "lot_999999999999")]
    answer = await access.stub(reporter).UploadRecords(messages.UploadRecordsRequest(records=records))
    assert (answer.accepted, answer.rejected) == (1, 3)
    assert {item.reason for item in answer.items} == {reasons.ERROR_REASON_LOT_NOT_FOUND}
    (own,) = (record for record in records if record.lot_id == lot_id)
    asked = messages.GetRecordRequest(lot_id=lot_id, record_id=own.record_id)
    assert (await access.stub().GetRecord(asked)).vendor_id == reporter.subject


async def test_a_collector_reports_while_the_account_is_in_use(access: Platform) -> None:
    who = Caller(CallerKind.COLLECTOR, "account-2", "client-collector-2", "account-2")
    access.registry.state(
        account("account-2", role_pb2.ROLE_COLLECTOR, LOT),
        credential(who.credential, who.subject, role=role_pb2.ROLE_COLLECTOR, account_id=who.account),
    )
    stub = access.stub(who)

    async def until_code(wanted: grpc.StatusCode) -> None:
        async with asyncio.timeout(10):
            while True:
                try:
                    await stub.UploadRecords(messages.UploadRecordsRequest(records=[entry(fresh())]))
                except grpc.aio.AioRpcError as refused:
                    code = refused.code()
                else:
                    code = grpc.StatusCode.OK
                if code is wanted:
                    return
                await asyncio.sleep(0.01)

    await until_code(grpc.StatusCode.OK)
    access.registry.state(account("account-2", role_pb2.ROLE_COLLECTOR, LOT, active=False))
    await until_code(grpc.StatusCode.UNAUTHENTICATED)


@pytest.mark.parametrize(
    ("reader", "lots"),
    [
        (OPERATOR, {LOT}),
        (DEVICE, {LOT}),
        (Caller(CallerKind.ADMINISTRATOR, "platform", "client-9"), {LOT, OTHER_LOT, FOREIGN_LOT}),
    ],
)
async def test_who_reads_sees_the_own_lots_alone(access: Platform, reader: Caller, lots: set[str]) -> None:
    async def code(lot_id: str) -> grpc.StatusCode:
        return await access.stub(reader).ListRecords(messages.ListRecordsRequest(lot_id=lot_id)).code()

    for lot_id in (LOT, OTHER_LOT, FOREIGN_LOT, "lot_999999999999"):
        assert await code(lot_id) is (grpc.StatusCode.OK if lot_id in lots else grpc.StatusCode.NOT_FOUND)


@pytest.mark.parametrize(
    "kind", [CallerKind.COLLECTOR, CallerKind.SUPERVISOR, CallerKind.DEPARTMENT, CallerKind.ANALYST]
)
async def test_plates_are_read_by_nobody_else(access: Platform, kind: CallerKind) -> None:
    stub = access.stub(Caller(kind, "somebody", "client-9", "account-9"))
    for asked in (
        stub.ListRecords(messages.ListRecordsRequest(lot_id=LOT)),
        stub.GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id="r")),
        stub.BatchGetRecords(messages.BatchGetRecordsRequest(lot_id=LOT, record_ids=["r"])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("lot_id", [FOREIGN_LOT, "lot_999999999999"])
async def test_foreign_and_unknown_lots_cannot_be_told_apart(access: Platform, lot_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().GetRecord(messages.GetRecordRequest(lot_id=lot_id, record_id="r"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "There is no such lot, or you may not see it."
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().ListRecords(messages.ListRecordsRequest(lot_id=lot_id))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().BatchGetRecords(messages.BatchGetRecordsRequest(lot_id=lot_id, record_ids=["r"]))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_unknown_record_is_not_found(access: Platform) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id="never-sent"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "There is no such record in this lot."


async def test_many_records_are_read_at_once_each_as_it_is_read_alone(access: Platform) -> None:
    here = [entry(fresh()) for _ in range(3)]
    elsewhere = entry(fresh(), lot_id=OTHER_LOT)
    await upload(access, *here, elsewhere)
    await access.stub().VoidRecord(
        messages.VoidRecordRequest(
            lot_id=LOT,
            record_id=here[1].record_id,
            revision=1,
            reason=record_pb2.REVISION_REASON_OBJECTION,
            author="staff-7",
            made_time=here[1].event_time,
        )
    )
    ids = [here[2].record_id, "never-sent", here[1].record_id, elsewhere.record_id, here[2].record_id]
    answer = await access.stub().BatchGetRecords(messages.BatchGetRecordsRequest(lot_id=LOT, record_ids=ids))
    assert [stored.record.record_id for stored in answer.records] == [here[2].record_id, here[1].record_id]
    assert [stored.voided for stored in answer.records] == [False, True]
    assert list(answer.missing_record_ids) == ["never-sent", elsewhere.record_id]
    for stored in answer.records:
        asked = messages.GetRecordRequest(lot_id=LOT, record_id=stored.record.record_id)
        assert await access.stub().GetRecord(asked) == stored


async def test_many_records_are_read_without_plates_by_who_sees_none(access: Platform) -> None:
    record = entry(fresh())
    await upload(access, record)
    administrator = access.stub(Caller(CallerKind.ADMINISTRATOR, "platform", "client-9"))
    asked = messages.BatchGetRecordsRequest(lot_id=LOT, record_ids=[record.record_id])
    (stored,) = (await administrator.BatchGetRecords(asked)).records
    assert (stored.record.plate_number, stored.digest, stored.etag) == ("闽B·1**45", "", "")


@pytest.mark.parametrize(
    ("ids", "field"), [([], "recordIds"), (["r"] * 1001, "recordIds"), (["r", "no id"], "recordIds[1]")]
)
async def test_a_wrong_list_of_ids_is_refused_by_its_field(access: Platform, ids: list[str], field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().BatchGetRecords(messages.BatchGetRecordsRequest(lot_id=LOT, record_ids=ids))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field.encode() in dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]


async def drained(access: Platform, lot_id: str) -> None:
    """Waits until the history holds all that was acknowledged."""
    access.clock.advance(1)
    while True:
        page = await access.stub().ListRecords(messages.ListRecordsRequest(lot_id=lot_id, page_size=1))
        if page.complete_until.ToMilliseconds() >= access.clock.now_ms():
            return
        await asyncio.sleep(0.02)


async def test_a_window_that_no_clock_shows_is_refused_by_its_field(access: Platform) -> None:
    for field, shown in (("start_time", "startTime"), ("end_time", "endTime")):
        request = messages.ListRecordsRequest(lot_id=LOT)
        getattr(request, field).seconds = 2**62
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await access.stub().ListRecords(request)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert shown.encode() in dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]


async def test_a_lots_records_are_listed_by_time_page_by_page(access: Platform) -> None:
    day = access.clock.now_ms() - 3 * 86_400_000
    records = [entry(fresh("list"), lot_id=OTHER_LOT, ms=day + index // 2) for index in range(7)]
    await upload(access, *reversed(records))
    await drained(access, OTHER_LOT)
    request = messages.ListRecordsRequest(lot_id=OTHER_LOT, page_size=3)
    request.start_time.FromMilliseconds(day)
    request.end_time.FromMilliseconds(day + 3)
    found: list[record_pb2.AccessRecord] = []
    pages = 0
    while True:
        page = await access.stub().ListRecords(request)
        found += [stored.record for stored in page.records]
        pages += 1
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    expected = sorted(records[:6], key=lambda record: (facts_of(record).event_time_ms, record.record_id))
    assert found == expected
    assert pages == 2

    request.direction = record_pb2.DIRECTION_EXIT
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await access.stub().ListRecords(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    request.page_token = ""
    assert not (await access.stub().ListRecords(request)).records


async def test_an_analyst_finds_the_records_and_the_lots(access: Platform) -> None:
    record = entry(fresh(), lot_id=OTHER_LOT, free_spaces=41, ms=access.clock.now_ms() + 1_000)
    await upload(access, record)
    await drained(access, OTHER_LOT)
    client = await asyncio.to_thread(
        clickhouse_connect.get_client, **access.history.connect("analyst"), database="parkmesh"
    )
    try:
        query = "SELECT lots.name, direction, plate_masked FROM records JOIN lots USING lot_id WHERE record_id = %(id)s"
        result = await asyncio.to_thread(client.query, query, {"id": record.record_id})
        assert result.result_rows == [(f"停车场 {OTHER_LOT}", "entry", "闽B·1**45")]
        result = await asyncio.to_thread(
            client.query, f"SELECT free_spaces FROM lot_latest WHERE lot_id = '{OTHER_LOT}'"
        )
        assert result.result_rows == [(41,)]
    finally:
        await asyncio.to_thread(client.close)


async def test_a_stream_answers_every_message_in_order(access: Platform) -> None:
    records = [entry(fresh("s")) for _ in range(300)]

    async def requests() -> AsyncIterator[messages.StreamRecordsRequest]:
        for sequence, record in enumerate(records):
            yield messages.StreamRecordsRequest(sequence=sequence, records=[record])
        yield messages.StreamRecordsRequest(sequence=300, records=[records[0], entry(fresh(), lot_id=FOREIGN_LOT)])

    answers = [answer async for answer in access.stub().StreamRecords(requests())]
    assert [answer.sequence for answer in answers] == list(range(301))
    assert all(answer.result.accepted == 1 for answer in answers[:300])
    assert (answers[300].result.duplicate, answers[300].result.rejected) == (1, 1)
    assert [item.field for item in answers[300].result.items] == ["", "records[1].lotId"]


async def test_a_grant_that_ends_is_felt_on_an_open_stream(access: Platform) -> None:
    queue: asyncio.Queue[messages.StreamRecordsRequest | None] = asyncio.Queue()

    async def requests() -> AsyncIterator[messages.StreamRecordsRequest]:
        while (request := await queue.get()) is not None:
            yield request

    call = access.stub().StreamRecords(requests())
    await queue.put(messages.StreamRecordsRequest(records=[entry(fresh(), lot_id=OTHER_LOT)]))
    first = await call.read()
    assert isinstance(first, messages.StreamRecordsResponse)
    assert first.result.accepted == 1
    access.registry.state(grant("vendor-1", OTHER_LOT, end_ms=1))
    try:
        while True:
            await queue.put(messages.StreamRecordsRequest(records=[entry(fresh(), lot_id=OTHER_LOT)]))
            answer = await call.read()
            assert isinstance(answer, messages.StreamRecordsResponse)
            if answer.result.rejected:
                break
    finally:
        access.registry.state(grant("vendor-1", OTHER_LOT))
        await queue.put(None)
    assert await call.read() is grpc.aio.EOF
    while (await upload(access, entry(fresh(), lot_id=OTHER_LOT))).rejected:
        continue  # until the grant is felt again, so that the next test finds it


@pytest.mark.slow
async def test_a_batch_that_spans_ten_years_reaches_the_history_whole(access: Platform) -> None:
    now, month_ms = access.clock.now_ms(), 30 * 86_400_000
    records = [entry(fresh("decade"), lot_id=OTHER_LOT, ms=now - 5_000 - age * month_ms) for age in range(125)]
    answer = await upload(access, *records)
    assert answer.accepted == 125
    await drained(access, OTHER_LOT)
    request = messages.ListRecordsRequest(lot_id=OTHER_LOT, page_size=1000)
    listed = {stored.record.record_id for stored in (await access.stub().ListRecords(request)).records}
    assert {record.record_id for record in records} <= listed
    # All but the youngest are older than the log's index reaches back: the history decides, and adds nothing.
    access.clock.advance(1)
    assert (await upload(access, *records)).duplicate == 125


async def test_conflicts_with_records_that_only_the_history_remembers_name_their_fields(access: Platform) -> None:
    old_ms = access.clock.now_ms() - 400 * 86_400_000
    records = [entry(fresh("old"), lot_id=OTHER_LOT, ms=old_ms) for _ in range(20)]
    assert (await upload(access, *records)).accepted == 20
    await drained(access, OTHER_LOT)
    await access.forget()
    changed = [entry(record.record_id, lot_id=OTHER_LOT, ms=old_ms, gate_id="g9") for record in records]
    answer = await upload(access, *records[:1], *changed)
    assert (answer.duplicate, answer.conflicting, answer.accepted) == (1, 20, 0)
    assert {item.field for item in answer.items[1:]} == {f"records[{index}].gateId" for index in range(1, 21)}
    request = messages.GetRecordRequest(lot_id=OTHER_LOT, record_id=records[0].record_id)
    assert (await access.stub().GetRecord(request)).record == records[0]


async def test_a_credential_that_is_revoked_is_felt_on_an_open_stream(access: Platform) -> None:
    access.registry.state(credential("client-2", VENDOR))
    who = Caller(CallerKind.VENDOR, VENDOR, "client-2")
    queue: asyncio.Queue[messages.StreamRecordsRequest] = asyncio.Queue()

    async def requests() -> AsyncIterator[messages.StreamRecordsRequest]:
        while True:
            yield await queue.get()

    while True:  # until the credential is known
        call = access.stub(who).StreamRecords(requests())
        await queue.put(messages.StreamRecordsRequest(records=[entry(fresh())]))
        try:
            first = await call.read()
        except grpc.aio.AioRpcError:
            continue
        break
    assert isinstance(first, messages.StreamRecordsResponse)
    assert first.result.accepted == 1
    access.registry.state(credential("client-2", VENDOR, revoked=True))

    async def send_on() -> None:
        while True:
            await queue.put(messages.StreamRecordsRequest(records=[entry(fresh())]))
            await call.read()

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with asyncio.timeout(20):
            await send_on()
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
