"""The first ring of validation: what the proto itself says about a message."""

from collections.abc import Callable
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD

from mesh.errors import FieldViolation, MeshError

_validator = protovalidate.Validator()

Check = Callable[[Message], None]
"""Raises MeshError(INVALID_FIELD) when the message breaks a rule."""


def violations(message: Message, prefix: str = "") -> list[FieldViolation]:
    """Every rule of the proto that the message breaks, in field order.

    `prefix` stands before each path: `records[3].`.
    """
    return [
        FieldViolation(prefix + _path(found.proto.field), found.proto.rule_id, found.proto.message)
        for found in _validator.collect_violations(message)
    ]


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
    bounds = [(field.name, field.json_name, _bounds(field)) for field in batches]
    # The items' rules are compiled now too: the servicer applies them to the first batch.
    for item in (field.message_type for field in batches):
        assert item
        _validator.collect_violations(GetMessageClass(item)())
    names = {field.json_name for field in batches}
    beside = GetMessageClass(descriptor)

    def check(message: Message) -> None:
        found = [
            violation
            for name, shown, (least, most) in bounds
            if (violation := _counted(len(getattr(message, name)), shown, least, most))
        ]
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


def _bounds(field: FieldDescriptor) -> tuple[int, int]:
    rules = field.GetOptions().Extensions[validate_pb2.field].repeated
    return rules.min_items, rules.max_items if rules.HasField("max_items") else 2**63


def _counted(count: int, field: str, least: int, most: int) -> FieldViolation | None:
    if count < least:
        return FieldViolation(field, "repeated.min_items", f"must contain at least {least} item(s)")
    if count > most:
        return FieldViolation(field, "repeated.max_items", f"must contain no more than {most} item(s)")
    return None


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
