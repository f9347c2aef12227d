"""The first ring of validation: what the proto itself says about a message."""

from collections.abc import Callable
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD

from mesh import wording
from mesh.errors import FieldViolation, MeshError
from mesh.wording import REQUIRED, Unworded, Words

_validator = protovalidate.Validator()

Check = Callable[[Message], None]
"""Raises MeshError(INVALID_FIELD) when the message breaks a rule."""


def violations(message: Message, prefix: str = "") -> list[FieldViolation]:
    """Every rule of the proto that the message breaks, in field order. What is empty where something must stand breaks
    `required`, whatever else the empty text would break.

    `prefix` stands before each path: `records[3].`.
    """
    found: dict[FieldViolation, None] = {}
    for broken in _validator.collect_violations(message):
        rule = broken.proto
        path = prefix + _path(rule.field)
        field, value = _at(message, rule.field)
        if _is_missing(rule, value):
            found[FieldViolation(path, "required", *REQUIRED)] = None
        else:
            found[FieldViolation(path, rule.rule_id, *_words(field, rule))] = None
    return list(found)


def _at(message: Message, path: Any) -> tuple[FieldDescriptor | None, Any]:
    """The field at the end of the path, and its value; None when it is no field, but a message or a oneof."""
    # protovalidate would give the value too, but needs longer for that than for all its rules.
    field: FieldDescriptor | None = None
    value: Any = message
    for element in path.elements if path else ():
        field = value.DESCRIPTOR.fields_by_name.get(element.field_name)
        if field is None:
            return None, None
        value = getattr(value, field.name)
        if element.subscript is not None:
            value = value[element.subscript.value]
    return field, value


def _is_missing(rule: Any, value: Any) -> bool:
    # An enum's zero stands for a value that was not stated.
    return (value in ("", b"") or (value == 0 and rule.rule_id == "enum.not_in")) and not rule.for_key


def _words(field: FieldDescriptor | None, rule: Any) -> Words:
    """What would be right; what the rule's own text says when the proto words it itself."""
    try:
        if field is None:
            return wording.of_rule(rule.rule_id)
        return wording.of_field(field, tuple(element.field_name for element in rule.rule.elements), rule.rule_id)
    except Unworded:
        return wording.of_text(rule.message)


def invalid(fields: list[FieldViolation]) -> MeshError:
    """The error that names the fields at fault."""
    return MeshError(ERROR_REASON_INVALID_FIELD, "A field breaks a rule of the contract.", fields=fields)


def whole_check(descriptor: Descriptor) -> Check:
    """Checks messages of this type in full. Its rules are compiled now, not with the first call."""
    _validator.collect_violations(GetMessageClass(descriptor)())

    def check(message: Message) -> None:
        if _validator.collect_violations(message, fail_fast=True):
            raise invalid(violations(message))

    return check


def envelope_check(descriptor: Descriptor) -> Check:
    """Checks everything of a batch but its items: how many there are, and the fields beside them. The items are the
    servicer's to check, one by one.
    """
    batches = [field for field in descriptor.fields if field.is_repeated and field.message_type]
    rest = [field for field in descriptor.fields if field not in batches]
    bounds = [(field.name, _Bounds(field)) for field in batches]
    # The items' rules are compiled now too: the servicer applies them to the first batch.
    for item in (field.message_type for field in batches):
        assert item
        _validator.collect_violations(GetMessageClass(item)())
    names = {field.json_name for field in batches}
    beside = GetMessageClass(descriptor)

    def check(message: Message) -> None:
        found = [violation for name, count in bounds if (violation := count.broken_by(len(getattr(message, name))))]
        if rest:
            envelope = beside()
            for field, value in message.ListFields():
                if field in rest:
                    _put(envelope, field, value)
            found += [violation for violation in violations(envelope) if violation.field not in names]
        if found:
            raise invalid(found)

    return check


def _put(envelope: Message, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(envelope, field.name).extend(value)
    elif field.message_type is not None:
        getattr(envelope, field.name).CopyFrom(value)
    else:
        setattr(envelope, field.name, value)


class _Bounds:
    """How many items a list may have."""

    def __init__(self, field: FieldDescriptor) -> None:
        rules = field.GetOptions().Extensions[validate_pb2.field].repeated
        self._field = field
        self._least = rules.min_items
        self._most = rules.max_items if rules.HasField("max_items") else 2**63

    def broken_by(self, count: int) -> FieldViolation | None:
        """The rule that so many items break, if any."""
        if self._least <= count <= self._most:
            return None
        name = "min_items" if count < self._least else "max_items"
        rule = f"repeated.{name}"
        return FieldViolation(self._field.json_name, rule, *wording.of_field(self._field, ("repeated", name), rule))


def _path(field: Any) -> str:
    path = ""
    for element in field.elements if field else ():
        path += ("." if path else "") + _camel(element.field_name)
        if element.subscript is not None:
            # A map's key is a value that was sent: only places in lists are shown.
            path += f"[{element.subscript.value}]" if element.subscript.field == "index" else "[*]"
    return path


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)
