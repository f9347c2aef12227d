"""Every rule that the protos state has words in both languages, and none of them quotes what was sent."""

from collections.abc import Iterator
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from mesh import contract, paging, wording
from mesh.errors import MeshError
from mesh.validation import violations
from mesh.wording import Unworded, Words
from parkmesh.access.v1 import access_record_service_pb2, record_pb2

CANARY = "CANARY\n闽B99999 "
NUMBER = 987_654_321
UNSIGNED = (
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED32,
    FieldDescriptor.TYPE_FIXED64,
)
Stated = tuple[FieldDescriptor, tuple[str, ...], str]
"""A rule of a field: where it stands within the field's rules, and its id when it is broken."""


def messages() -> Iterator[Descriptor]:
    """Every message of the contract, whatever a service of the platform may be sent."""
    files = {method.containing_service.file.name: method.containing_service.file for method in contract.methods()}
    pending = list(files.values())
    while pending:
        for needed in pending.pop().dependencies:
            if needed.package.startswith("parkmesh.") and needed.name not in files:
                files[needed.name] = needed
                pending.append(needed)
    nested = [message for file in files.values() for message in file.message_types_by_name.values()]
    while nested:
        message = nested.pop()
        nested += message.nested_types
        yield message


def stated() -> list[Stated]:
    """Every rule of every field of the contract, under each id that it can be broken with."""
    found: list[Stated] = []
    for message in messages():
        for field in message.fields:
            rules = field.GetOptions().Extensions[validate_pb2.field]
            found += [(field, path, rule) for path, rule in broken_with(rules, ())]
    return found


def broken_with(rules: Message, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    values = {field.name for field, _ in rules.ListFields()}
    for field, value in rules.ListFields():
        here = (*path, field.name)
        if field.name in ("cel", "cel_expression", "ignore", "example", "strict"):
            continue
        if field.message_type and field.message_type.full_name.startswith("buf.validate."):
            yield from broken_with(value, here)
        elif field.name == "required":
            yield here, "required"
        elif field.name == "defined_only":
            yield here, "enum.defined_only"
        else:
            for rule in field.GetOptions().Extensions[validate_pb2.predefined].cel:
                bounds = set(rule.id.partition(".")[2].removesuffix("_exclusive").split("_"))
                if not bounds <= {"gt", "gte", "lt", "lte"} or bounds <= values:
                    yield here, rule.id


def filled(message: Any, text: str, number: int, depth: int = 3) -> Message:
    """The message with the text and the number wherever they fit."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.GetOptions().map_entry:
            continue
        value: Any
        if field.message_type:
            if not depth or field.message_type.full_name.startswith("google."):
                continue
            value = filled(GetMessageClass(field.message_type)(), text, number, depth - 1)
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES):
            value = text if field.type == field.TYPE_STRING else text.encode()
        elif field.type == field.TYPE_BOOL:
            continue
        else:
            value = max(number, 0) if field.type in UNSIGNED else number
        if field.is_repeated:
            getattr(message, field.name).extend([value] * 2)
        elif field.message_type:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
    return message  # type: ignore[no-any-return]


def is_worded(words: Words) -> bool:
    latin, chinese = words.english, words.chinese
    return (
        (latin.isascii() or "…" in latin) and bool(latin) and any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    )


def worded(field: FieldDescriptor, path: tuple[str, ...], rule: str) -> bool:
    try:
        return is_worded(wording.of_field(field, path, rule))
    except Unworded:
        return False


def test_every_rule_of_the_contract_has_words() -> None:
    rules = stated()
    assert len(rules) > 100
    # Words for a new kind of rule stand in mesh.wording; for a pattern of its own in the proto, as its `expects`.
    assert [f"{field.full_name}: {rule}" for field, path, rule in rules if not worded(field, path, rule)] == []


def test_rules_that_the_protos_word_themselves_do_so_in_both_languages() -> None:
    for message in messages():
        rules = list(message.GetOptions().Extensions[validate_pb2.message].cel)
        for field in message.fields:
            rules += field.GetOptions().Extensions[validate_pb2.field].cel
        for rule in rules:
            assert is_worded(wording.of_text(rule.message)), f"{message.full_name}: {rule.id}"


def test_no_words_quote_what_was_sent() -> None:
    broken = 0
    for message in messages():
        for text, number in ((CANARY * 99, NUMBER), (CANARY, -1), ("", 0)):
            for violation in violations(filled(GetMessageClass(message)(), text, number)):
                broken += 1
                assert is_worded(Words(violation.description, violation.chinese)), violation
                for sent in ("CANARY", "闽", "99999", str(NUMBER), f"{NUMBER:,}"):
                    assert sent not in f"{violation.description} {violation.chinese}", violation
    assert broken > 100


def test_words_state_the_values_of_the_rule() -> None:
    record = record_pb2.AccessRecord(record_id="a b", plate_number="x" * 17, free_spaces=-1)
    record.MergeFromString(b"\x30\x4d")  # the colour 77
    record.image_ids.extend(["ok", ""])
    told = {violation.field: violation[1:] for violation in violations(record)}
    assert told["recordId"] == (
        "string.pattern",
        "must be 1 to 64 letters, digits, `_` or `-`",
        "须为 1 至 64 个字母、数字、“_”或“-”",
    )
    assert told["plateNumber"][2] == "最多 16 个字符，不得含换行等控制字符"
    assert told["freeSpaces"] == ("int32.gte_lte", "must be from 0 to 1,000,000", "须在 0 至 1,000,000 之间")
    assert "PLATE_COLOUR_BLUE" in told["plateColour"][1]
    assert "UNSPECIFIED" not in told["plateColour"][1]


def test_what_is_left_out_is_required_whatever_its_pattern() -> None:
    told = {violation.field: violation[1:] for violation in violations(record_pb2.AccessRecord(image_ids=[""]))}
    required = ("required", "is required", "必填")
    assert told == dict.fromkeys(
        ["recordId", "lotId", "direction", "eventTime", "vehicleClass", "imageIds[0]"], required
    )
    asked = violations(access_record_service_pb2.GetRecordRequest())
    assert [violation[:2] for violation in asked] == [("lotId", "required"), ("recordId", "required")]


def test_a_rule_or_a_pattern_without_words_is_told(echo: Any) -> None:
    with pytest.raises(Unworded):
        wording.of_rule("string.of_a_new_kind")
    field = echo.item.DESCRIPTOR.fields_by_name["odd_pattern"]
    with pytest.raises(Unworded, match="odd_pattern"):
        wording.of_field(field, ("string", "pattern"), "string.pattern")


def test_a_pattern_of_its_own_is_worded_by_the_proto(echo: Any) -> None:
    (violation,) = violations(echo.item(own_pattern=CANARY))
    assert violation[1:] == ("string.pattern", "must be one capital letter", "须为一个大写字母")


def test_a_rule_in_cel_is_worded_by_its_own_text(echo: Any) -> None:
    (violation,) = violations(echo.range(first=2, last=1))
    assert violation == ("", "range.ordered", "must not end before it begins", "终点不得早于起点")


def test_exclusive_bounds_and_texts_of_one_language() -> None:
    assert (
        wording.of_rule("double.gt_lt", {"gt": 0.5, "lt": 2000.0}).english
        == "must be more than 0.5 and less than 2,000"
    )
    assert wording.of_text("no Chinese") == ("no Chinese", "")


def test_a_negative_page_size_is_worded() -> None:
    with pytest.raises(MeshError) as caught:
        paging.page_size(-1)
    assert caught.value.fields[0][2:] == ("must be at least 0", "不得小于 0")
