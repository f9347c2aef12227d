"""What refuses a record, with the reason and the field, and what is only unusual about it."""

from typing import Any

import pytest
from access_records.records.rules import Approval, LotFacts, Rejection
from access_records.testing import NOW_MS, KnownLot, entry, rules
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh.registry.v1 import lot_pb2
from vocabulary.record import facts_of

RULES = rules()
HOUR_MS = 3_600_000


def judge(record: record_pb2.AccessRecord, lot: LotFacts | None = None) -> Approval | Rejection:
    return RULES.judge(facts_of(record), tuple(record.image_ids), lot or KnownLot(), NOW_MS)


@pytest.mark.parametrize(
    ("facts", "reason", "field"),
    [
        ({"ms": NOW_MS + 60_001}, "EVENT_IN_FUTURE", "eventTime"),
        ({"ms": NOW_MS + 3 * HOUR_MS}, "EVENT_IN_FUTURE", "eventTime"),
        ({"ms": NOW_MS + 8 * HOUR_MS - 4_000}, "BEIJING_TIME_MARKED_UTC", "eventTime"),
        ({"ms": 946_655_999_999}, "EVENT_TOO_OLD", "eventTime"),
        ({"gate_id": ""}, "FIELDS_CONTRADICT", "gateId"),
        ({"lane_id": ""}, "FIELDS_CONTRADICT", "laneId"),
        ({"berth_id": "b1"}, "FIELDS_CONTRADICT", "berthId"),
        ({"release_method": record_pb2.RELEASE_METHOD_MANUAL}, "FIELDS_CONTRADICT", "releaseReason"),
        ({"plate_state": record_pb2.PLATE_STATE_UNREAD}, "FIELDS_CONTRADICT", "plateState"),
        ({"plate_colour": 0}, "FIELDS_CONTRADICT", "plateColour"),
        ({"plate_number": "", "plate_colour": 0}, "FIELDS_CONTRADICT", "plateState"),
        ({"plate_number": "全包国脚型"}, "PLATE_MALFORMED", "plateNumber"),
        ({"record_id": "x-B-12345-x"}, "ID_REVEALS_PLATE", "recordId"),
        ({"visit_id": "vb12345"}, "ID_REVEALS_PLATE", "visitId"),
        ({"image_ids": ["a", "B12345_1"]}, "ID_REVEALS_PLATE", "imageIds"),
        ({"device_id": "相机-闽B12345"}, "ID_REVEALS_PLATE", "deviceId"),
        ({"gate_id": "闽B·12345"}, "ID_REVEALS_PLATE", "gateId"),
    ],
)
def test_a_record_is_refused_with_reason_and_field(facts: dict[str, Any], reason: str, field: str) -> None:
    judged = judge(entry(**facts))
    assert isinstance(judged, Rejection)
    assert reasons.ErrorReason.Name(judged.reason) == f"ERROR_REASON_{reason}"
    assert judged.field == field
    assert "12345" not in judged.message + judged.chinese
    assert any("\u4e00" <= letter <= "\u9fff" for letter in judged.chinese)


def test_the_measured_difference_is_told() -> None:
    judged = judge(entry(ms=NOW_MS + 90_500))
    assert isinstance(judged, Rejection)
    assert "90.500 s" in judged.message
    assert "60 s" in judged.message
    assert "90.500 秒" in judged.chinese
    assert "60 秒" in judged.chinese


def test_an_unknown_lot_and_a_foreign_one_are_refused_alike() -> None:
    judged = RULES.judge(facts_of(entry()), (), None, NOW_MS)
    assert isinstance(judged, Rejection)
    assert judged.reason == reasons.ERROR_REASON_LOT_NOT_FOUND


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"ms": NOW_MS + 60_000},
        {"ms": 946_656_000_000},
        {"plate_number": "闽b·12345"},
        {"plate_number": "", "plate_colour": 0, "plate_state": record_pb2.PLATE_STATE_UNREAD},
        {"plate_number": "", "plate_colour": 0, "plate_state": record_pb2.PLATE_STATE_UNLICENSED},
        {"plate_number": "无牌车", "plate_colour": 0},
        {"gate_id": "", "lane_id": "", "berth_id": "b1", "device_id": "d1"},
        {"release_method": record_pb2.RELEASE_METHOD_MANUAL, "release_reason": "停电"},
        {"direction": record_pb2.DIRECTION_EXIT, "lane_id": "both"},
        {"image_ids": ["a", "b"], "visit_id": "v_1"},
    ],
)
def test_a_lawful_record_is_accepted_without_warnings(facts: dict[str, Any]) -> None:
    judged = judge(entry(**facts))
    assert isinstance(judged, Approval), judged
    assert judged.warnings == ()


@pytest.mark.parametrize(
    ("facts", "lot", "warning"),
    [
        ({"gate_id": "g9"}, KnownLot(), reasons.WARNING_UNKNOWN_GATE),
        ({"lane_id": "l9"}, KnownLot(), reasons.WARNING_UNKNOWN_LANE),
        ({"lane_id": "out"}, KnownLot(), reasons.WARNING_LANE_DIRECTION),
        ({"gate_id": "", "lane_id": "", "berth_id": "b9"}, KnownLot(), reasons.WARNING_UNKNOWN_BERTH),
        ({"device_id": "d9"}, KnownLot(), reasons.WARNING_UNKNOWN_DEVICE),
        ({}, KnownLot(state=lot_pb2.LOT_STATE_PENDING), reasons.WARNING_LOT_NOT_ACTIVE),
        ({"plate_colour": record_pb2.PLATE_COLOUR_GREEN}, KnownLot(), reasons.WARNING_PLATE_INCONSISTENT),
    ],
)
def test_the_unusual_is_accepted_with_a_warning(facts: dict[str, Any], lot: KnownLot, warning: int) -> None:
    judged = judge(entry(**facts), lot)
    assert isinstance(judged, Approval), judged
    assert judged.warnings == (warning,)


def test_everything_unusual_is_told_at_once() -> None:
    strange: dict[str, Any] = {"gate_id": "", "lane_id": "", "berth_id": "莆A-0017", "device_id": "d9"}
    judged = judge(entry(**strange), KnownLot(state=lot_pb2.LOT_STATE_PENDING))
    assert isinstance(judged, Approval)
    assert judged.warnings == (
        reasons.WARNING_UNKNOWN_BERTH,
        reasons.WARNING_UNKNOWN_DEVICE,
        reasons.WARNING_LOT_NOT_ACTIVE,
    )


def test_the_words_for_no_plate_are_never_kept_as_a_plate() -> None:
    judged = judge(entry(plate_number="无牌车", plate_colour=0))
    assert isinstance(judged, Approval)
    assert judged.plate is None
