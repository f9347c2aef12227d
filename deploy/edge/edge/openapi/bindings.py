"""How a method is called over REST: the google.api.http rule, read as Envoy's transcoder reads it."""

import dataclasses
import re
from collections.abc import Iterator

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

VERBS = ("get", "put", "post", "delete", "patch")
HTTP_BODY = "google.api.HttpBody"
_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=[^}]*)?\}")
# The messages that a query parameter may hold; all others are spelled out, field by field.
_SINGLE = (
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.BoolValue",
    "google.protobuf.StringValue",
    "google.protobuf.BytesValue",
    "google.protobuf.Int32Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt64Value",
)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A field of the request that stands in the path or the query: its name there, and the field."""

    name: str
    field: FieldDescriptor


@dataclasses.dataclass(frozen=True)
class Binding:
    """One way to call a method."""

    method: MethodDescriptor
    verb: str
    """In lower case."""
    path: str
    """With variables by their JSON names: `/v1/lots/{lotId}`."""
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    body: Descriptor | None
    """The message that the body holds; None: there is no body."""
    body_field: FieldDescriptor | None
    """The request's field that the body is; None: the request itself."""
    body_without: frozenset[str]
    """The fields of that message that stand in the path: the edge refuses them in the body."""


def bindings(method: MethodDescriptor) -> list[Binding]:
    """Every way, the additional ones too; none when the method has no rule. ValueError for rules beyond these."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    return [
        _binding(method, verb, template, each.body)
        for each in (rule, *rule.additional_bindings)
        for verb in VERBS
        if (template := getattr(each, verb))
    ]


def _binding(method: MethodDescriptor, verb: str, template: str, body: str) -> Binding:
    request = method.input_type
    bound = _VARIABLE.findall(template)
    in_path = {path: Parameter(_label(path, bound), _field(request, path)) for path in bound}
    path = _VARIABLE.sub(lambda variable: f"{{{in_path[variable[1]].name}}}", template)
    body_field = request.fields_by_name[body] if body not in {"", "*"} else None
    message = request if body == "*" else body_field.message_type if body_field else None
    if body_field is not None and (message is None or body_field.is_repeated):
        raise ValueError(f"{method.full_name}: the body must be a message")
    prefix = "" if body == "*" else f"{body}."
    without = {name.removeprefix(prefix) for name in bound if body and name.startswith(prefix)}
    queried = () if body == "*" else tuple(_queried(request, "", {*bound, body}, ()))
    return Binding(method, verb, path, tuple(in_path.values()), queried, message, body_field, frozenset(without))


def _label(path: str, bound: list[str]) -> str:
    """A variable's name: its last field's, as JSON spells it, unless two would have the same."""
    last = path.rpartition(".")[2]
    alone = sum(other.rpartition(".")[2] == last for other in bound) == 1
    return _camel(last if alone else path.replace(".", "_"))


def _field(message: Descriptor, path: str) -> FieldDescriptor:
    *outer, last = path.split(".")
    for name in outer:
        inner = message.fields_by_name[name].message_type
        assert inner
        message = inner
    return message.fields_by_name[last]


def _queried(message: Descriptor, prefix: str, taken: set[str], within: tuple[str, ...]) -> Iterator[Parameter]:
    """The fields that neither the path nor the body holds, messages field by field: `filter.lotId`."""
    for field in message.fields:
        path = f"{prefix}{field.name}"
        inner = field.message_type
        if path in taken:
            continue
        if inner is None or (inner.full_name in _SINGLE and not field.is_repeated):
            yield Parameter(".".join(map(_camel, path.split("."))), field)
        elif not field.is_repeated and inner.full_name not in within:
            yield from _queried(inner, f"{path}.", taken, (*within, inner.full_name))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)
