"""An object's changes, what they add up to at any instant, and edits by mask."""

import dataclasses
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from parkmesh.registry.v1.coordinate_pb2 import COORDINATE_SYSTEM_WGS84, Coordinate
from parkmesh.registry.v1.gate_pb2 import Gate
from parkmesh.registry.v1.lot_pb2 import BERTH_CLASS_SMALL, LOT_FLAG_NO_OPERATOR, LOT_STATE_ACTIVE, BerthCount, Lot
from registry.errors import InvalidFields
from registry.forms import derived
from registry.static.edit import edited, left_out
from registry.storage import revisions
from registry.storage.kinds import BY_MESSAGE, BY_NAME, KINDS, Kind
from registry.storage.revisions import Revision
from registry.testing import a_lot

TIMES = st.integers(0, 12)
FIELDS = ("name", "address", "open_berths", "in_scope")
VALUES: dict[str, Any] = {
    "name": st.sampled_from(["A", "B", ""]),
    "address": st.sampled_from(["x", "y", ""]),
    "open_berths": st.integers(0, 2),
    "in_scope": st.none() | st.booleans(),
}


@dataclasses.dataclass
class Report:
    """A change of a lot, as a plain model keeps it."""

    effective_ms: int
    report_ms: int
    values: dict[str, Any]


@st.composite
def reports(draw: Any) -> list[Report]:
    found = [Report(0, 0, {field: draw(values) for field, values in VALUES.items()})]
    for _ in range(draw(st.integers(0, 6))):
        changed = draw(st.sets(st.sampled_from(FIELDS), min_size=1))
        values = {field: draw(VALUES[field]) for field in sorted(changed)}
        found.append(Report(draw(TIMES), found[-1].report_ms + draw(st.integers(0, 3)), values))
    return found


def lot_of(values: dict[str, Any]) -> Lot:
    return Lot(**{field: value for field, value in values.items() if value is not None})


def revisions_of(told: list[Report]) -> list[Revision[Lot]]:
    return [
        Revision(number, report.effective_ms, report.report_ms, tuple(report.values), lot_of(report.values))
        for number, report in enumerate(told, 1)
    ]


@given(reports(), st.none() | TIMES, st.none() | TIMES)
def test_the_state_at_any_instant_is_that_of_a_plain_model(
    told: list[Report], as_of_ms: int | None, known_ms: int | None
) -> None:
    expected: dict[str, Any] = {}
    by_effect = sorted(enumerate(told), key=lambda numbered: (numbered[1].effective_ms, numbered[0]))
    for _, report in by_effect:
        if (as_of_ms is None or report.effective_ms <= as_of_ms) and (known_ms is None or report.report_ms <= known_ms):
            expected |= report.values
    assert revisions.state_at(revisions_of(told), as_of_ms, known_ms) == lot_of(expected)


def test_before_its_first_change_there_is_no_state() -> None:
    told = [Revision(1, 5, 7, ("name",), Lot(name="A"))]
    assert revisions.state_at(told, 4, None) is None
    assert revisions.state_at(told, 5, 6) is None
    assert revisions.state_at(told, 5, 7) == Lot(name="A")
    assert revisions.state_at([], None, None) is None


def filled(message: Message, depth: int = 0) -> Message:
    """The message with every field set, two levels deep."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and depth > 2:
            continue
        if field.is_repeated and field.message_type:
            filled(getattr(message, field.name).add(), depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([a_value(field), a_value(field)])
        elif field.message_type and field.message_type.full_name == "google.protobuf.Timestamp":
            getattr(message, field.name).FromMilliseconds(4_102_444_800_123)
        elif field.message_type:
            filled(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, a_value(field))
    return message


def a_value(field: Any) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return "值\n\0\u2028 \U0001f697"
        case FieldDescriptor.CPPTYPE_BOOL:
            return True
        case FieldDescriptor.CPPTYPE_DOUBLE:
            return 25.123456789012345
        case FieldDescriptor.CPPTYPE_INT64:
            return 2**53 + 1
        case _:
            return 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_field_comes_back_from_the_history_as_it_was(kind: Kind[Any]) -> None:
    message = filled(kind.message())
    assert {field.name for field, _ in message.ListFields()} == set(message.DESCRIPTOR.fields_by_name)
    assert revisions.read(revisions.written(message), kind.message) == message
    assert revisions.read(revisions.written(kind.message()), kind.message) == kind.message()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_fields_of_a_change_are_exactly_those_that_differ(kind: Kind[Any]) -> None:
    whole = filled(kind.message())
    names = [field.name for field in whole.DESCRIPTOR.fields]
    assert revisions.changed_fields(None, whole) == tuple(names)
    assert revisions.changed_fields(whole, whole) == ()
    for name in names:
        without = kind.message()
        without.CopyFrom(whole)
        without.ClearField(name)
        assert revisions.changed_fields(whole, without) == (name,)
        assert revisions.changed_fields(without, whole) == (name,)
        assert revisions.with_fields(whole, [name], without) == without
        assert revisions.with_fields(without, [name], whole) == whole


def test_an_optional_field_that_is_false_is_not_one_that_is_absent() -> None:
    assert revisions.changed_fields(Lot(), Lot(in_scope=False)) == ("in_scope",)
    assert not revisions.with_fields(Lot(in_scope=False), ["in_scope"], Lot()).HasField("in_scope")


def test_what_this_program_does_not_know_is_not_kept() -> None:
    newer = Lot.FromString(a_lot().SerializeToString() + b"\xaa\x7d\x03new")
    newer.coordinate.MergeFromString(b"\xaa\x7d\x03new")
    assert b"new" in newer.SerializeToString()
    assert b"new" not in revisions.bare(newer).SerializeToString()


def every_field(descriptor: Descriptor) -> list[str]:
    return [field.name for field in descriptor.fields]


def test_kinds_are_told_apart_by_name_number_and_message() -> None:
    assert len(BY_NAME) == len(BY_MESSAGE) == len({kind.number for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert set(kind.ids) | set(kind.unique) <= set(every_field(kind.message.DESCRIPTOR))
        key = kind.key(kind.message(**dict.fromkeys(kind.ids, "x")))
        assert kind.path.format(*key.split("/")) == kind.title(key)


def refused(patch: Lot, *paths: str) -> list[tuple[str, str]]:
    current = a_lot(lot_id="lot-1", state=1)
    with pytest.raises(InvalidFields) as caught:
        edited(current, patch, FieldMask(paths=paths), fixed=("state",), derived=("flags",), path="lot")
    return [(violation.field, violation.rule) for violation in caught.value.fields]


def test_a_mask_that_names_what_there_is_not_or_what_is_fixed_is_refused() -> None:
    assert refused(Lot(), "nonsense") == [("updateMask", "update_mask.unknown")]
    assert refused(Lot(), "coordinate.latitude") == [("updateMask", "update_mask.unknown")]
    assert refused(Lot(), "openBerths") == [("updateMask", "update_mask.unknown")]
    assert refused(Lot(), "*") == [("updateMask", "update_mask.unknown")]
    for name in ("lot_id", "state", "flags", "etag", "create_time", "update_time"):
        assert refused(Lot(), "name", name) == [("updateMask", "update_mask.fixed")]


def test_a_mask_of_a_million_wrong_names_is_refused_in_a_word() -> None:
    paths = [f"nonsense{number}" for number in range(100_000)] + ["state"] * 100_000
    assert refused(Lot(), *paths) == [("updateMask", "update_mask.unknown"), ("updateMask", "update_mask.fixed")]


def test_a_mask_clears_what_the_patch_lacks() -> None:
    current = a_lot(lot_id="lot-1", address="胜利路", coordinate=Coordinate(latitude=25), in_scope=True)
    mask = FieldMask(paths=["address", "coordinate", "in_scope", "address"])
    assert edited(current, Lot(), mask, fixed=(), derived=(), path="lot") == a_lot(lot_id="lot-1")


def test_without_a_mask_what_was_read_can_be_sent_back() -> None:
    current = a_lot(lot_id="lot-1", state=1)
    read = a_lot(lot_id="lot-1", state=1, etag="7", flags=[LOT_FLAG_NO_OPERATOR], name="新名")
    read.create_time.FromMilliseconds(7)
    told = edited(current, read, FieldMask(), fixed=("state",), derived=("flags",), path="lot")
    assert told == a_lot(lot_id="lot-1", state=1, name="新名")


@pytest.mark.parametrize("paths", [[], ["name"]])
def test_the_id_must_be_that_of_the_path(paths: list[str]) -> None:
    assert refused(Lot(lot_id="lot-2"), *paths) == [("lot.lotId", "id.same")]


@pytest.mark.parametrize("paths", [[], ["name"]])
def test_what_this_method_does_not_change_must_be_as_it_is(paths: list[str]) -> None:
    assert refused(Lot(state=LOT_STATE_ACTIVE), *paths) == [("lot.state", "field.fixed")]


def test_fields_that_the_platform_sets_must_be_left_out() -> None:
    found = left_out(Gate(gate_id="g1", etag="1"), ("etag", "create_time"), "gate")
    assert [violation.field for violation in found] == ["gate.etag"]


def test_what_is_derived_follows_from_the_stated_facts_beside_it() -> None:
    lot = a_lot(
        operator_id="", flags=[], open_berths=7, berths=[BerthCount(berth_class=BERTH_CLASS_SMALL, built=5, open=4)]
    )
    lot.coordinate.CopyFrom(Coordinate(latitude=25.431, longitude=119.007, system=COORDINATE_SYSTEM_WGS84))
    again = derived.again(lot)
    assert again.open_berths == 4
    assert again.position.HasField("gcj02")
    assert list(again.flags) == [LOT_FLAG_NO_OPERATOR]
    assert derived.again(again) == again
    assert not lot.flags
