"""Records as JSON mean what protobuf's own JSON means."""

import json

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1.record_pb2 import AccessRecord
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh_sdk import json_form

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CODES = st.integers(0, 99)
FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799 - 8 * 3600


@st.composite
def records(draw: st.DrawFn) -> AccessRecord:
    record = AccessRecord()
    for field in AccessRecord.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        if field.name == "event_time":
            record.event_time.seconds = draw(st.integers(FIRST_S, LAST_S))
            record.event_time.nanos = draw(st.sampled_from([0, 1, 1_000_000, 999_999_999, 120_000_000]))
        elif field.name == "image_ids":
            record.image_ids.extend(draw(st.lists(TEXT, max_size=3)))
        elif field.type == field.TYPE_STRING:
            setattr(record, field.name, draw(TEXT))
        elif field.type == field.TYPE_BOOL:
            setattr(record, field.name, draw(st.booleans()))
        else:
            setattr(record, field.name, draw(CODES))
    return record


@settings(deadline=None)
@given(st.lists(records(), max_size=3))
def test_a_batch_reads_back_as_it_was(batch: list[AccessRecord]) -> None:
    request = access.UploadRecordsRequest(records=batch)
    assert json_format.Parse(json_form.encode(request), access.UploadRecordsRequest()) == request


def test_every_field_of_a_record_is_written() -> None:
    full = AccessRecord()
    for field in AccessRecord.DESCRIPTOR.fields:
        if field.name == "event_time":
            full.event_time.seconds = 1
        elif field.name == "image_ids":
            full.image_ids.append("x")
        else:
            setattr(full, field.name, "x" if field.type == field.TYPE_STRING else 1)
    assert set(json_form.record_fields(full)) == {field.json_name for field in AccessRecord.DESCRIPTOR.fields}


def test_times_are_beijing_times() -> None:
    record = AccessRecord()
    record.event_time.FromJsonString("2099-12-31T16:00:00.050Z")
    assert json_form.record_fields(record)["eventTime"] == "2100-01-01T00:00:00.050+08:00"


@pytest.mark.parametrize(("seconds", "nanos"), [(LAST_S + 1, 0), (FIRST_S - 1, 0), (0, -1), (0, 1_000_000_000)])
def test_a_time_that_is_none_is_refused(seconds: int, nanos: int) -> None:
    record = AccessRecord()
    record.event_time.seconds, record.event_time.nanos = seconds, nanos
    with pytest.raises(ValueError, match="event time"):
        json_form.record_fields(record)


def test_answers_read_as_the_platform_writes_them() -> None:
    answer = access.UploadRecordsResponse(
        accepted=1,
        rejected=1,
        items=[
            access.ItemResult(
                index=1,
                record_id="r-1",
                outcome=access.OUTCOME_REJECTED,
                reason=reasons.ERROR_REASON_PLATE_MALFORMED,
                field="records[1].plateNumber",
                message="…",
                warnings=[reasons.WARNING_UNKNOWN_GATE],
            )
        ],
        unknown_fields=["x"],
    )
    answer.server_time.FromJsonString("2100-01-01T08:00:00Z")
    text = json_format.MessageToJson(answer, always_print_fields_with_no_presence=True)
    later = {**json.loads(text), "newInALaterVersion": {"a": 1}}
    assert json_form.decode(json.dumps(later).encode(), access.UploadRecordsResponse) == answer


@pytest.mark.parametrize(
    "text", [b"", b"[1]", b"7", b"<html>", b'{"accepted":"many"}', b'{"items":[{"index":"x"}]}', b"\xff"]
)
def test_what_is_no_answer_is_told(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        json_form.decode(text, access.UploadRecordsResponse)
