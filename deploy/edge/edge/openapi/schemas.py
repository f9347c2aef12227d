"""Messages and enums as JSON Schema, in the form that JSON has at the edge: proto3's mapping, zeros printed."""

import functools
import re
from collections.abc import Collection, Mapping
from typing import Any

import protovalidate
from buf.validate import validate_pb2
from google.api import field_behavior_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from edge.openapi import rules
from edge.openapi.comments import Comments, described
from edge.openapi.rules import Schema

COMPONENTS = "#/components/schemas/"
_EXAMPLE = re.compile(r"(?:e\.g\.|such as) `([^`]+)`")
# How the protos' comments mark what callers leave out; an etag, which is to be sent back, says more than that.
_OUTPUT = re.compile(r"^Issued by the platform|^(?!.*send it back).*\. Set by the platform\.")
_VALIDATOR = protovalidate.Validator()
_I32, _U32 = 2**31, 2**32 - 1
_INT64: Schema = {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}
_UINT64: Schema = {"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"}
_INT32: Schema = {"type": "integer", "format": "int32", "minimum": -_I32, "maximum": _I32 - 1}
_UINT32: Schema = {"type": "integer", "format": "uint32", "minimum": 0, "maximum": _U32}
_TEXT: Schema = {"type": "string"}
_BYTES: Schema = {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/_-]*={0,2}$"}

_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: _BYTES,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    **dict.fromkeys((FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64), _UINT64),
}
_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "pattern": r"^([a-z][A-Za-z0-9.]*(,[a-z][A-Za-z0-9.]*)*)?$"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Any": {"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}},
    "google.protobuf.DoubleValue": {"type": ["number", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "null"]},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {**_BYTES, "type": ["string", "null"]},
    "google.protobuf.Int32Value": {**_INT32, "type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {**_UINT32, "type": ["integer", "null"]},
    "google.protobuf.Int64Value": {**_INT64, "type": ["string", "null"]},
    "google.protobuf.UInt64Value": {**_UINT64, "type": ["string", "null"]},
}


class Schemas:
    """Makes schemas and keeps those that have a name, for the document's components.

    `asked` are the full names of the messages that requests are made of: there a field must be present when its zero
    value breaks a rule. In all other messages of the platform those fields must be present that are always printed.
    """

    def __init__(self, comments: Comments, asked: Collection[str]) -> None:
        self._comments = comments
        self._asked = asked
        self._made: dict[str, Schema] = {}

    @property
    def components(self) -> dict[str, Schema]:
        """Every schema with a name that was referred to, by name."""
        return dict(sorted(self._made.items()))

    def message(self, message: Descriptor) -> Schema:
        """A reference to the message's schema; the schema itself for what protobuf writes in a way of its own."""
        if known := _WELL_KNOWN.get(message.full_name):
            return dict(known)
        name = component(message.full_name)
        if name not in self._made:
            self._made[name] = {}  # before its fields, which may lead back to it
            self._made[name] = self.object(message)
        return {"$ref": COMPONENTS + name}

    def changes(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message of which any part may be left out, as updates take it."""
        name = component(message.full_name) + ".Changes"
        if name not in self._made:
            self._made[name] = {}
            whole = self.object(message)
            self._made[name] = {key: value for key, value in whole.items() if key not in {"required", "allOf"}}
        return {"$ref": COMPONENTS + name}

    def object(self, message: Descriptor, without: Collection[str] = ()) -> Schema:
        """The message's own schema, but for the fields named."""
        fields = [field for field in message.fields if field.name not in without]
        notes = rules.of_message(message.GetOptions())
        made: Schema = {
            "type": "object",
            "title": message.name,
            **described(self._comments.of(message.full_name), notes),
            "properties": {field.json_name: self.field(field) for field in fields},
        }
        if needed := [field.json_name for field in fields if self._is_needed(field)]:
            made["required"] = needed
        if choices := [choice for choice in _choices(message) if not set(choice[1]) & _json_names(message, without)]:
            made["allOf"] = [_at_most_one(names, needed=needed) for needed, names in choices]
        return made

    def field(self, field: FieldDescriptor) -> Schema:
        """What may stand in a field, and what its comment says of it."""
        stated = rules.of(field)
        if _is_map(field):
            made = self._map(field, stated)
        elif field.is_repeated:
            listed = stated.repeated
            made = {"type": "array", "items": self._value(field, listed.items, field_refuses_zero=False)}
            made |= {"minItems": listed.min_items or 1} if listed.min_items or stated.required else {}
            made |= {"maxItems": listed.max_items} if listed.HasField("max_items") else {}
            made |= {"uniqueItems": True} if listed.unique else {}
        else:
            made = self._value(field, stated, field_refuses_zero=is_refused_at_zero(field))
        return made | self._annotations(field, made)

    def _annotations(self, field: FieldDescriptor, made: Schema) -> Schema:
        comment = self._comments.of(field.full_name)
        options = field.GetOptions()
        found: Schema = described(comment, rules.notes(field))
        behaviors = options.Extensions[field_behavior_pb2.field_behavior]
        if field_behavior_pb2.OUTPUT_ONLY in behaviors or _OUTPUT.search(comment.english):
            found["readOnly"] = True
        if field_behavior_pb2.INPUT_ONLY in behaviors:
            found["writeOnly"] = True
        if options.deprecated:
            found["deprecated"] = True
        if options.debug_redact and made.get("type") == "string":
            found["format"] = "password"
        examples = [_typed(text, made) for text in _EXAMPLE.findall(comment.english)]
        if fitting := [example for example in examples if example is not None]:
            found["examples"] = fitting
        return found

    def _value(self, field: FieldDescriptor, stated: validate_pb2.FieldRules, *, field_refuses_zero: bool) -> Schema:
        if field.enum_type is not None:
            return self._enum(field.enum_type, stated, refuses_zero=field_refuses_zero)
        if field.message_type is not None:
            unchecked = rules.is_unchecked(field) and field.message_type.full_name not in _WELL_KNOWN
            made = (self.changes if unchecked else self.message)(field.message_type)
            return made if "$ref" in made else _tightened(made, rules.keywords(stated))
        made = _tightened(_SCALARS[field.type], rules.keywords(stated))
        if stated.required and not field.has_presence and field.type == FieldDescriptor.TYPE_STRING:
            made["minLength"] = max(1, made.get("minLength", 0))
        if rules.skips_zero(stated) and made != _SCALARS[field.type]:
            return {"anyOf": [{"const": field.default_value}, made]}
        return made

    def _enum(self, enum: EnumDescriptor, stated: validate_pb2.FieldRules, *, refuses_zero: bool) -> Schema:
        name = component(enum.full_name)
        values = [(value.number, value.name) for value in enum.values]
        if name not in self._made:
            told = {value: self._comments.of(f"{enum.full_name}.{value}").text for _, value in values}
            self._made[name] = {
                "type": "string",
                "title": enum.name,
                **described(self._comments.of(enum.full_name)),
                "enum": [value for _, value in values],
                "x-enum-descriptions": told,
            }
        allowed = rules.enum_names(stated, [value for value in values if value[0] or not refuses_zero])
        made: Schema = {"$ref": COMPONENTS + name}
        return made if len(allowed) == len(values) else made | {"enum": allowed}

    def _map(self, field: FieldDescriptor, stated: validate_pb2.FieldRules) -> Schema:
        assert field.message_type
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        made: Schema = {
            "type": "object",
            "additionalProperties": self._value(value, stated.map.values, field_refuses_zero=False),
        }
        if key.type == FieldDescriptor.TYPE_STRING and (limits := rules.keywords(stated.map.keys)):
            made["propertyNames"] = limits
        made |= {"minProperties": stated.map.min_pairs} if stated.map.min_pairs else {}
        made |= {"maxProperties": stated.map.max_pairs} if stated.map.HasField("max_pairs") else {}
        return made

    def _is_needed(self, field: FieldDescriptor) -> bool:
        message = field.containing_type
        assert message
        if message.full_name in self._asked:
            required = field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
            return required or is_refused_at_zero(field)
        return message.full_name.startswith("parkmesh.") and not field.has_presence


@functools.cache
def refused_zeros(message: Descriptor) -> frozenset[str]:
    """The fields of a message that must not be left out: with their zero value a rule is broken."""
    empty = GetMessageClass(message)()
    found = _VALIDATOR.collect_violations(empty)
    return frozenset(violation.proto.field.elements[0].field_name for violation in found if violation.proto.field)


def is_refused_at_zero(field: FieldDescriptor) -> bool:
    """Whether the field must not be left out of its message."""
    assert field.containing_type
    return field.name in refused_zeros(field.containing_type)


def component(full_name: str) -> str:
    """The name of a message or an enum among the components: `registry.v1.Lot`."""
    return full_name.removeprefix("parkmesh.")


def reachable(messages: Collection[Descriptor]) -> frozenset[str]:
    """The full names of the messages given and of all that they are made of."""
    found: dict[str, Descriptor] = {}
    waiting = list(messages)
    while waiting:
        message = waiting.pop()
        if message.full_name not in found:
            found[message.full_name] = message
            waiting += [field.message_type for field in message.fields if field.message_type is not None]
    return frozenset(found)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _tightened(made: Schema, limits: Schema) -> Schema:
    """The schema within the limits: of two bounds the narrower one holds."""
    both = {**made, **limits}
    for keyword, narrower in (("minimum", max), ("maximum", min)):
        if keyword in made and keyword in limits:
            both[keyword] = narrower(made[keyword], limits[keyword])
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in both:
            both.pop(inclusive, None)
    if "pattern" in made and "pattern" in limits:
        both["pattern"] = limits["pattern"]
    return both


def _choices(message: Descriptor) -> list[tuple[bool, list[str]]]:
    """The oneofs that are no mere mark of presence: whether one member must be there, and the members."""
    real = [choice for choice in message.oneofs if not choice.name.startswith("_")]
    found = [
        (
            bool(choice.GetOptions().Extensions[validate_pb2.oneof].required),
            [field.json_name for field in choice.fields],
        )
        for choice in real
    ]
    ruled = message.GetOptions().Extensions[validate_pb2.message].oneof
    return found + [(rule.required, [message.fields_by_name[name].json_name for name in rule.fields]) for rule in ruled]


def _json_names(message: Descriptor, names: Collection[str]) -> set[str]:
    return {message.fields_by_name[name].json_name for name in names if name in message.fields_by_name}


def _at_most_one(names: list[str], *, needed: bool) -> Schema:
    each: list[Schema] = [{"required": [name]} for name in names]
    return {"oneOf": each if needed else [*each, {"not": {"anyOf": each}}]}


def _typed(text: str, made: Schema) -> Any:
    """The example as a value of the schema's type; None when it cannot be one."""
    kind = made.get("type")
    if kind == "string":
        return text
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return float(text)
    return None
