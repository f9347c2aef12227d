"""Corrections, voids and reinstatements as vendors and operators send them, over a real log and a real history."""

import itertools
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from access_records.testing import (
    COLLECTOR,
    FOREIGN_LOT,
    LOT,
    NOW_MS,
    OPERATOR,
    OTHER_LOT,
    Platform,
    entry,
    revision,
)
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]
from history.client import Account, HistoryClient
from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.record import digest_of, facts_of

VOID = record_pb2.REVISION_KIND_VOID
REINSTATEMENT = record_pb2.REVISION_KIND_REINSTATEMENT
PLATE: dict[str, Any] = {
    "plate_number": "闽B54321",
    "plate_colour": record_pb2.PLATE_COLOUR_BLUE,
    "plate_kind": 0,
    "plate_state": 0,
}
HOUR_MS = 3_600_000
_fresh = itertools.count()


def fresh() -> str:
    """A record id that no other test uses."""
    return f"rev-{next(_fresh)}"


async def revise(
    access: Platform, *revisions: revision_pb2.RecordRevision, caller: Caller | None = None
) -> messages.UploadRecordsResponse:
    return await access.stub(caller).UploadRevisions(messages.UploadRevisionsRequest(revisions=revisions))


async def upload(access: Platform, *records: record_pb2.AccessRecord) -> None:
    answer = await access.stub().UploadRecords(messages.UploadRecordsRequest(records=records))
    assert answer.all_stored


async def read(access: Platform, record_id: str) -> record_pb2.StoredRecord:
    return await access.stub().GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id=record_id))


async def listed(access: Platform, start_ms: int, end_ms: int = NOW_MS) -> Sequence[record_pb2.StoredRecord]:
    request = messages.ListRecordsRequest(
        lot_id=LOT, start_time=time_of(start_ms), end_time=time_of(end_ms), page_size=1000
    )
    return (await access.stub().ListRecords(request)).records


async def refusal(call: Any) -> tuple[grpc.StatusCode, str, Any, list[str]]:
    """The status, message, ErrorInfo and fields of a call that is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    status = rpc_status.from_call(refused.value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    return refused.value.code(), status.message, info, [violation.field for violation in bad.field_violations]


async def test_a_correction_is_the_record_from_the_moment_it_was_acknowledged_and_in_the_history(
    access: Platform,
) -> None:
    first = entry(fresh(), ms=NOW_MS - HOUR_MS)
    await upload(access, first)
    answer = await revise(access, revision(first.record_id, **PLATE, event_time=NOW_MS - 2 * HOUR_MS))
    assert (answer.all_stored, answer.accepted, list(answer.items)) == (True, 1, [])

    expected = record_pb2.AccessRecord()
    expected.CopyFrom(first)
    expected.plate_number = "闽B54321"
    expected.event_time.CopyFrom(time_of(NOW_MS - 2 * HOUR_MS))
    stored = await read(access, first.record_id)
    assert stored.record == expected
    assert (stored.revision, stored.voided) == (1, False)
    assert stored.digest == digest_of(facts_of(expected)).hex()
    assert stored.revise_time.ToMilliseconds() == access.clock.now_ms()

    await access.drained()
    there = [one for one in await listed(access, NOW_MS - 3 * HOUR_MS) if one.record.record_id == first.record_id]
    assert [(one.record, one.digest, one.revision) for one in there] == [(expected, stored.digest, 1)]


async def test_a_void_record_is_listed_no_more_and_a_reinstated_one_again(access: Platform) -> None:
    first = entry(fresh(), ms=NOW_MS - 5 * HOUR_MS)
    await upload(access, first)
    await revise(access, revision(first.record_id, 1, VOID))
    assert (await read(access, first.record_id)).voided
    await access.drained()
    assert first.record_id not in [one.record.record_id for one in await listed(access, NOW_MS - 6 * HOUR_MS)]

    await revise(access, revision(first.record_id, 2, REINSTATEMENT))
    stored = await read(access, first.record_id)
    assert (stored.voided, stored.revision, stored.record) == (False, 2, first)
    await access.drained()
    assert first.record_id in [one.record.record_id for one in await listed(access, NOW_MS - 6 * HOUR_MS)]


async def test_a_revision_that_comes_before_its_record_waits_for_it(access: Platform) -> None:
    first = entry(fresh(), ms=NOW_MS - 7 * HOUR_MS)
    early = await revise(access, revision(first.record_id, 2, vehicle_class=record_pb2.VEHICLE_CLASS_LARGE))
    assert early.all_stored
    assert set(early.items[0].warnings) == {reasons.WARNING_RECORD_UNKNOWN, reasons.WARNING_REVISION_GAP}
    await access.drained()
    with pytest.raises(grpc.aio.AioRpcError):
        await read(access, first.record_id)

    await upload(access, first)
    assert (await read(access, first.record_id)).record.vehicle_class == record_pb2.VEHICLE_CLASS_LARGE
    await access.drained()
    (there,) = [one for one in await listed(access, NOW_MS - 8 * HOUR_MS) if one.record.record_id == first.record_id]
    assert there.record.vehicle_class == record_pb2.VEHICLE_CLASS_LARGE

    late = await revise(access, revision(first.record_id, 1, vehicle_class=record_pb2.VEHICLE_CLASS_MEDIUM))
    assert list(late.items[0].warnings) == [reasons.WARNING_REVISION_OVERTAKEN]
    assert (await read(access, first.record_id)).record.vehicle_class == record_pb2.VEHICLE_CLASS_LARGE


async def test_the_same_revision_again_is_a_duplicate_and_another_under_its_number_a_conflict(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    mine = revision(first.record_id, vehicle_class=record_pb2.VEHICLE_CLASS_LARGE)
    theirs = revision(first.record_id, vehicle_class=record_pb2.VEHICLE_CLASS_MEDIUM)
    await revise(access, mine)
    answer = await revise(access, mine, theirs)
    assert (answer.duplicate, answer.conflicting) == (1, 1)
    item = answer.items[1]
    assert item.reason == reasons.ERROR_REASON_CONFLICTS_WITH_STORED
    assert item.field == "revisions[1].changes.vehicleClass"
    assert "revision 1 of this record is another one" in item.message
    assert "第 1 号修订" in item.message_zh
    theirs.author = mine.author = "someone else"
    theirs.changes.CopyFrom(mine.changes)
    assert (await revise(access, mine)).items[0].field == "revisions[0].author"
    assert (await read(access, first.record_id)).record.vehicle_class == record_pb2.VEHICLE_CLASS_LARGE


async def test_a_correction_of_a_void_record_is_kept_and_does_not_revive_it(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    await revise(access, revision(first.record_id, 1, VOID))
    answer = await revise(access, revision(first.record_id, 2, vehicle_class=record_pb2.VEHICLE_CLASS_LARGE))
    assert list(answer.items[0].warnings) == [reasons.WARNING_RECORD_VOID]
    assert (await read(access, first.record_id)).voided
    await revise(access, revision(first.record_id, 3, REINSTATEMENT))
    stored = await read(access, first.record_id)
    assert (stored.voided, stored.record.vehicle_class) == (False, record_pb2.VEHICLE_CLASS_LARGE)


async def test_a_stale_etag_is_refused_and_changes_nothing(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    seen = (await read(access, first.record_id)).etag
    await revise(access, revision(first.record_id, 1, vehicle_class=record_pb2.VEHICLE_CLASS_LARGE))
    now = await read(access, first.record_id)
    request = messages.VoidRecordRequest(
        lot_id=LOT,
        record_id=first.record_id,
        revision=2,
        reason=record_pb2.REVISION_REASON_TEST,
        author="staff-1",
        made_time=time_of(NOW_MS),
        etag=seen,
    )
    code, _, info, _ = await refusal(access.stub().VoidRecord(request))
    assert (code, info.reason, info.metadata["etag"]) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", now.etag)
    assert not (await read(access, first.record_id)).voided
    request.etag = now.etag
    for outcome in (messages.OUTCOME_ACCEPTED, messages.OUTCOME_DUPLICATE):  # the answer to the first may get lost
        answer = await access.stub().VoidRecord(request)
        assert (answer.outcome, answer.record.voided, answer.record.revision) == (outcome, True, 2)


async def test_one_record_is_corrected_and_the_answer_is_the_record(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    request = messages.CorrectRecordRequest(
        lot_id=LOT,
        record_id=first.record_id,
        revision=1,
        changes=revision_pb2.RecordChanges(visit_id="V-1"),
        reason=record_pb2.REVISION_REASON_OTHER,
        author="staff-1",
        made_time=time_of(NOW_MS),
    )
    code, message, info, fields = await refusal(access.stub().CorrectRecord(request))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert (message, fields) == ("The reason OTHER is stated in words.", ["reasonText"])
    request.reason_text = "系统切换"
    answer = await access.stub(OPERATOR).CorrectRecord(request)
    assert (answer.outcome, answer.record.record.visit_id) == (messages.OUTCOME_ACCEPTED, "V-1")
    unknown = messages.CorrectRecordRequest()
    unknown.CopyFrom(request)
    unknown.record_id = fresh()
    kept = await access.stub().CorrectRecord(unknown)
    assert (kept.outcome, list(kept.warnings), kept.HasField("record")) == (
        messages.OUTCOME_ACCEPTED,
        [reasons.WARNING_RECORD_UNKNOWN],
        False,
    )


async def test_all_that_was_reported_is_listed_with_who_and_why(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    corrected = revision(first.record_id, 1, **PLATE)
    corrected.evidence_ids.append("picture-1")
    await revise(access, corrected)
    await revise(access, revision(first.record_id, 2, VOID), caller=OPERATOR)
    for _ in range(2):  # from the log, then from the history too
        request = messages.ListRevisionsRequest(lot_id=LOT, record_id=first.record_id)
        reported, correction, void = (await access.stub().ListRevisions(request)).revisions
        assert reported.record == first
        assert correction.revision == corrected
        assert (correction.vendor_id, correction.account_id, correction.HasField("record")) == ("vendor-1", "", False)
        assert (void.revision.kind, void.vendor_id, void.account_id) == (VOID, OPERATOR.subject, OPERATOR.account)
        assert not any(one.conflicting for one in (reported, correction, void))
        await access.drained()
        await access.forget()
    assert (await read(access, first.record_id)).record.plate_number == "闽B54321"


async def test_an_old_revision_is_decided_by_the_history(access: Platform) -> None:
    first = entry(fresh(), ms=NOW_MS - 200 * HOUR_MS)
    await upload(access, first)
    old = revision(first.record_id, 1, made_ms=NOW_MS - 100 * HOUR_MS, visit_id="V-1")
    assert (await revise(access, old)).accepted == 1
    await access.drained()
    await access.forget()
    assert (await revise(access, old)).duplicate == 1
    old.changes.visit_id = "V-2"
    answer = await revise(access, old)
    assert (answer.conflicting, answer.items[0].field) == (1, "revisions[0].changes.visitId")


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"lot_id": FOREIGN_LOT}, "lotId", reasons.ERROR_REASON_LOT_NOT_FOUND),
        ({"revision": 65}, "revision", reasons.ERROR_REASON_INVALID_FIELD),
        ({"record_id": "闽B12345"}, "recordId", reasons.ERROR_REASON_INVALID_FIELD),
        ({"author": ""}, "author", reasons.ERROR_REASON_INVALID_FIELD),
        ({"author": "车主闽B12345"}, "author", reasons.ERROR_REASON_ID_REVEALS_PLATE),
        ({"reason_text": "应为闽B12345"}, "reasonText", reasons.ERROR_REASON_ID_REVEALS_PLATE),
        ({"made_time": time_of(NOW_MS + HOUR_MS)}, "madeTime", reasons.ERROR_REASON_EVENT_IN_FUTURE),
        ({"kind": VOID}, "changes", reasons.ERROR_REASON_INVALID_FIELD),
    ],
)
async def test_what_is_wrong_with_a_revision_is_named(
    access: Platform, changed: dict[str, Any], field: str, reason: int
) -> None:
    wrong = revision("r-1", visit_id="V-1")
    for name, value in changed.items():
        if name == "made_time":
            wrong.made_time.CopyFrom(value)
        else:
            setattr(wrong, name, value)
    good = revision(fresh(), visit_id="V-1")
    answer = await revise(access, wrong, good)
    assert (answer.rejected, answer.accepted) == (1, 1)
    assert (answer.items[0].field, answer.items[0].reason) == (f"revisions[0].{field}", reason)
    assert answer.items[0].message_zh


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "changes", "at least one fact"),
        ({"free_spaces": 3}, "updateMask", "can be corrected"),
        ({"gate_id": "g1"}, "updateMask", "gate_id, lane_id, berth_id are corrected together"),
        ({"gate_id": "", "lane_id": "", "berth_id": ""}, "changes.gateId", "gate and lane"),
        ({"direction": 0}, "changes.direction", "cannot be cleared"),
        ({"event_time": NOW_MS + HOUR_MS}, "changes.eventTime", "after the platform's clock"),
        ({**PLATE, "plate_number": "ABC"}, "changes.plateNumber", "form of no plate"),
        ({**PLATE, "plate_number": ""}, "changes.plateState", "PLATE_STATE_UNREAD"),
        ({"release_method": 2, "release_reason": ""}, "changes.releaseReason", "by hand"),
    ],
)
async def test_what_is_wrong_with_a_correction_is_named(
    access: Platform, changes: dict[str, Any], field: str, words: str
) -> None:
    wrong = revision("r-1")
    for name, value in changes.items():
        wrong.update_mask.paths.append(name)
        if name == "event_time":
            wrong.changes.event_time.CopyFrom(time_of(value))
        elif name != "free_spaces":
            setattr(wrong.changes, name, value)
    (item,) = (await revise(access, wrong)).items
    assert item.field == f"revisions[0].{field}"
    assert words in item.message


async def test_without_a_mask_what_is_stated_is_corrected_with_its_group(access: Platform) -> None:
    first = entry(fresh(), visit_id="V-1")
    await upload(access, first)
    bare = revision(first.record_id)
    bare.changes.plate_state = record_pb2.PLATE_STATE_UNREAD
    masked = revision(first.record_id, plate_state=record_pb2.PLATE_STATE_UNREAD)
    masked.update_mask.paths.extend(["plate_colour", "plate_number", "plate_kind"])
    assert (await revise(access, bare)).accepted == 1
    assert (await revise(access, masked)).duplicate == 1
    record = (await read(access, first.record_id)).record
    assert (record.plate_number, record.plate_colour, record.visit_id) == ("", 0, "V-1")


async def test_a_place_is_corrected_as_a_whole(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    elsewhere = await revise(access, revision(first.record_id, gate_id="g9", lane_id="in", berth_id=""))
    assert list(elsewhere.items[0].warnings) == [reasons.WARNING_UNKNOWN_GATE]
    onto_the_street = revision(first.record_id, 2, gate_id="", lane_id="", berth_id="b1", device_id="d1")
    assert list((await revise(access, onto_the_street)).items) == []
    record = (await read(access, first.record_id)).record
    assert (record.gate_id, record.lane_id, record.berth_id, record.device_id) == ("", "", "b1", "d1")


async def test_a_fact_beside_the_mask_is_refused(access: Platform) -> None:
    wrong = revision("r-1", visit_id="V-1")
    wrong.changes.device_id = "d1"
    (item,) = (await revise(access, wrong)).items
    assert (item.field, "device_id" in item.message) == ("revisions[0].updateMask", True)


async def test_who_may_not_revise_is_told_that_there_is_no_such_lot(access: Platform) -> None:
    (item,) = (await revise(access, revision(fresh(), visit_id="V"), caller=COLLECTOR)).items
    assert item.reason == reasons.ERROR_REASON_LOT_NOT_FOUND


async def test_a_number_that_was_taken_long_ago_is_a_conflict_whenever_the_other_was_decided(access: Platform) -> None:
    first = entry(fresh(), ms=NOW_MS - 200 * HOUR_MS)
    await upload(access, first)
    theirs = revision(first.record_id, 1, VOID)
    assert (await revise(access, theirs, caller=OPERATOR)).accepted == 1
    await access.forget()
    mine = revision(first.record_id, 1, visit_id="V-1", made_ms=NOW_MS)
    answer = await revise(access, mine)
    assert (answer.conflicting, answer.items[0].field) == (1, "revisions[0].kind")
    assert (await read(access, first.record_id)).voided


async def test_a_void_that_the_log_forgot_before_its_record_came_is_told_at_once(access: Platform) -> None:
    record_id = fresh()
    await revise(access, revision(record_id, 1, VOID))
    await access.forget()
    await upload(access, entry(record_id))
    assert (await read(access, record_id)).voided


async def test_a_plate_in_the_words_of_its_own_correction_is_refused(access: Platform) -> None:
    wrong = revision("r-1", **PLATE)
    wrong.reason_text = "B-54321 was read wrong"
    (item,) = (await revise(access, wrong)).items
    assert (item.field, item.reason) == ("revisions[0].reasonText", reasons.ERROR_REASON_ID_REVEALS_PLATE)


async def test_who_may_not_read_records_is_told_what_became_of_a_revision_and_no_more(access: Platform) -> None:
    first = entry(fresh(), lot_id=OTHER_LOT)
    await upload(access, first)
    request = messages.VoidRecordRequest(
        lot_id=OTHER_LOT,
        record_id=first.record_id,
        revision=1,
        reason=record_pb2.REVISION_REASON_TEST,
        author="staff-1",
        made_time=time_of(NOW_MS),
    )
    answer = await access.stub(COLLECTOR).VoidRecord(request)
    assert (answer.outcome, answer.HasField("record")) == (messages.OUTCOME_ACCEPTED, False)
    request.etag, request.revision = "stale", 2
    _, _, info, _ = await refusal(access.stub(COLLECTOR).VoidRecord(request))
    assert (info.reason, dict(info.metadata)) == ("ETAG_MISMATCH", {})


async def test_the_administrator_sees_plates_masked_and_no_digest_that_would_tell_them(access: Platform) -> None:
    first = entry(fresh())
    await upload(access, first)
    await revise(access, revision(first.record_id, **PLATE))
    stub = access.stub(Caller(CallerKind.ADMINISTRATOR, "administrator", "client-administrator"))
    stored = await stub.GetRecord(messages.GetRecordRequest(lot_id=LOT, record_id=first.record_id))
    listed = await stub.ListRevisions(messages.ListRevisionsRequest(lot_id=LOT, record_id=first.record_id))
    assert (stored.record.plate_number, stored.digest, stored.etag) == ("闽B·5**21", "", "")
    assert [one.digest for one in listed.revisions] == ["", ""]
    assert listed.revisions[0].record.plate_number == "闽B·1**45"
    assert listed.revisions[1].revision.changes.plate_number == "闽B·5**21"


async def test_analysts_see_the_corrected_plate_under_its_pseudonym_alone(access: Platform) -> None:
    first = entry(fresh(), ms=NOW_MS - 9 * HOUR_MS)
    await upload(access, first)
    await access.drained()
    await revise(access, revision(first.record_id, **PLATE))
    await access.drained()
    account = Account(access.history.url, "reader", access.history.secrets["reader"])
    async with HistoryClient(account) as client:
        rows = await client.rows(
            "SELECT plate_masked FROM parkmesh.records WHERE record_id = {id:String}", {"id": first.record_id}
        )
        found = await client.rows(
            "SELECT hex(seen.plate_key) = hex(now.plate_key) FROM store.record_plates AS seen FINAL INNER JOIN"
            " (SELECT * FROM store.records_current FINAL) AS now USING (lot_id, event_time, record_id)"
            " WHERE record_id = {id:String} ORDER BY 1",
            {"id": first.record_id},
        )
    assert rows == [("闽B·5**21",)]
    assert found == [(0,), (1,)], "the plate that was corrected leaves a hint behind, and the new one has its own"
