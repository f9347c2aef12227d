"""The fast check agrees with the proto's rules, record by record."""

from typing import Any

import pytest
from access_records.records.contract import first_violation, keeps_contract
from access_records.testing import entry
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.validation import violations
from parkmesh.access.v1 import record_pb2
from vocabulary.record import facts_of

_FIELDS = record_pb2.AccessRecord.DESCRIPTOR.fields_by_name
_text = st.one_of(
    st.sampled_from(["", "a", "闽B12345", "x" * 16, "x" * 17, "x" * 64, "x" * 65, "号" * 200, "号" * 201]),
    st.sampled_from(["a b", "a\nb", "a\x00", "\x1f", "\x7f", "a\n", "\u2028", "-_", "é"]),
    st.text(max_size=70),
)
_number = st.one_of(st.integers(-2, 100), st.sampled_from([1000, 1001, 1_000_000, 1_000_001, -(2**31), 2**31 - 1]))


def kept(record: record_pb2.AccessRecord) -> bool:
    return keeps_contract(record, facts_of(record), tuple(record.image_ids))


@settings(max_examples=400)
@given(st.data())
def test_the_fast_check_is_the_protos(data: st.DataObject) -> None:
    record = entry()
    for name in data.draw(st.lists(st.sampled_from(sorted(_FIELDS)), min_size=1, max_size=3)):
        field = _FIELDS[name]
        if name == "event_time":
            record.ClearField("event_time")
        elif name == "image_ids":
            record.image_ids[:] = data.draw(st.lists(_text, max_size=10))
        elif name == "resend":
            record.resend = data.draw(st.booleans())
        else:
            setattr(record, name, data.draw(_text if field.type == field.TYPE_STRING else _number))
    assert kept(record) == (not violations(record)), record


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"record_id": ""}, "recordId"),
        ({"record_id": "a\nb"}, "recordId"),
        ({"direction": 7}, "direction"),
        ({"plate_colour": 77}, "plateColour"),
        ({"plate_kind": 77}, "plateKind"),
        ({"image_ids": ["ok", "not ok"]}, "imageIds[1]"),
        ({"gate_id": "g\x001"}, "gateId"),
        ({"plate_number": "KA12345\nb"}, "plateNumber"),
        ({"release_reason": "a\nb"}, "releaseReason"),
        ({"device_id": "a\nb"}, "deviceId"),
        ({"free_spaces": -1}, "freeSpaces"),
        ({"confidence_permille": 1001}, "confidencePermille"),
    ],
)
def test_what_is_wrong_is_named(facts: dict[str, Any], field: str) -> None:
    record = entry(**facts)
    assert not kept(record)
    assert first_violation(record).field == field


@pytest.mark.parametrize("nanos", [-1, 1_000_000_000])
def test_a_timestamp_that_is_none_is_refused(nanos: int) -> None:
    record = entry()
    record.event_time.nanos = nanos
    assert not kept(record)
    assert first_violation(record).field == "eventTime"
