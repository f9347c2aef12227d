"""The rules of protovalidate as keywords of JSON Schema, and in words where JSON Schema has none."""

import datetime
import math
from collections.abc import Sequence
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from parkmesh.annotations.v1 import expects_pb2

from edge.openapi.patterns import ecma, literal

Schema = dict[str, Any]

_FORMATS = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
_BOUNDS = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum"}
_SIGNS = {"gte": "≥", "gt": ">", "lte": "≤", "lt": "<"}
_SINCE = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The rules that the proto states for a field; empty ones when it says to ignore them always."""
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return validate_pb2.FieldRules() if is_unchecked(field) else rules


def is_unchecked(field: FieldDescriptor) -> bool:
    """Whether the proto says to ignore all rules of a field and of what is within it: updates, of which parts may be
    missing, are checked by their service.
    """
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules.ignore == validate_pb2.IGNORE_ALWAYS


def skips_zero(rules: validate_pb2.FieldRules) -> bool:
    """Whether the zero value passes whatever the other rules say."""
    return rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE


def keywords(rules: validate_pb2.FieldRules) -> Schema:
    """The keywords for one value: a text, number, flag or bytes; those of enums, lists and maps are not made here."""
    kind = rules.WhichOneof("type")
    if kind is None:
        return {}
    stated = getattr(rules, kind)
    if kind == "string":
        return _of_text(stated)
    if kind == "bytes":
        return _of_bytes(stated)
    if kind == "bool":
        return {"const": stated.const} if stated.HasField("const") else {}
    if kind in {"enum", "repeated", "map", "any", "duration", "field_mask", "timestamp"} or kind.endswith("64"):
        return {}
    return _of_number(stated)


def notes(field: FieldDescriptor) -> list[str]:
    """What the rules say that no keyword does, and the proto's own words for a pattern."""
    rules = of(field)
    kind = rules.WhichOneof("type")
    found = [_sentence(rule) for rule in rules.cel]
    expected: expects_pb2.Expects = field.GetOptions().Extensions[expects_pb2.expects]
    found += [f"{text[:1].upper()}{text[1:]}" for text in (expected.english, expected.chinese) if text]
    if kind is None:
        return found
    stated: Any = getattr(rules, kind)
    if kind in {"timestamp", "duration"} or kind.endswith("64"):
        found += [f"{sign} `{_shown(getattr(stated, name))}`" for name, sign in _SIGNS.items() if stated.HasField(name)]
    if kind == "timestamp" and stated.lt_now:
        found.append("In the past. 须早于当前时间。")
    if kind == "timestamp" and stated.gt_now:
        found.append("In the future. 须晚于当前时间。")
    if kind == "string" and stated.pattern and not _patterns(stated):
        found.append(f"`{stated.pattern}` (RE2)")
    if kind == "string" and stated.HasField("max_bytes"):
        found.append(f"At most {stated.max_bytes} bytes in UTF-8. UTF-8 编码不超过 {stated.max_bytes} 字节。")
    return found


def of_message(options: Any) -> list[str]:
    """Sentences for the rules of a message as a whole."""
    return [_sentence(rule) for rule in options.Extensions[validate_pb2.message].cel]


def enum_names(rules: validate_pb2.FieldRules, names: Sequence[tuple[int, str]]) -> list[str]:
    """The names of an enum's values, given as (number, name), that its rules let pass."""
    stated = rules.enum
    allowed = set(getattr(stated, "in")) or {number for number, _ in names}
    if stated.HasField("const"):
        allowed = {stated.const}
    return [name for number, name in names if number in allowed and number not in stated.not_in]


def _of_text(stated: validate_pb2.StringRules) -> Schema:
    found: Schema = _of_values(stated)
    least = [stated.min_len, stated.len, math.ceil(max(stated.min_bytes, stated.len_bytes) / 4)]
    most = [getattr(stated, name) for name in ("max_len", "len", "max_bytes", "len_bytes") if stated.HasField(name)]
    if any(least):
        found["minLength"] = max(least)
    if most:
        found["maxLength"] = min(most)
    patterns = _patterns(stated)
    patterns += [f"^{literal(stated.prefix)}"] if stated.prefix else []
    patterns += [f"{literal(stated.suffix)}$"] if stated.suffix else []
    patterns += [literal(stated.contains)] if stated.contains else []
    if len(patterns) == 1:
        found["pattern"] = patterns[0]
    elif patterns:
        found["allOf"] = [{"pattern": pattern} for pattern in patterns]
    if stated.not_contains:
        found["not"] = {"pattern": literal(stated.not_contains)}
    known = stated.WhichOneof("well_known")
    if known in _FORMATS:
        found["format"] = _FORMATS[known]
    return found


def _patterns(stated: validate_pb2.StringRules) -> list[str]:
    """The pattern as JSON Schema writes it; none when there is none, or when it cannot."""
    try:
        return [ecma(stated.pattern)] if stated.pattern else []
    except ValueError:
        return []


def _of_bytes(stated: validate_pb2.BytesRules) -> Schema:
    """Lengths are those of the base64 text, padded or not."""
    found: Schema = {}
    if least := max(stated.min_len, stated.len):
        found["minLength"] = math.ceil(least * 4 / 3)
    if most := [getattr(stated, name) for name in ("max_len", "len") if stated.HasField(name)]:
        found["maxLength"] = 4 * math.ceil(min(most) / 3)
    if stated.len:
        # Said in the pattern too: who makes texts up from one finds hardly any of just this length otherwise.
        found["pattern"] = f"^[A-Za-z0-9+/_-]{{{found['minLength']}}}={{0,{found['maxLength'] - found['minLength']}}}$"
    return found


def _of_number(stated: Any) -> Schema:
    found = _of_values(stated)
    for name, keyword in _BOUNDS.items():
        if stated.HasField(name):
            found[keyword] = getattr(stated, name)
    return found


def _of_values(stated: Any) -> Schema:
    found: Schema = {}
    if stated.HasField("const"):
        found["const"] = stated.const
    if values := list(getattr(stated, "in")):
        found["enum"] = values
    if values := list(stated.not_in):
        found["not"] = {"enum": values}
    return found


def _sentence(rule: validate_pb2.Rule) -> str:
    text = rule.message or rule.id
    return text[:1].upper() + text[1:]


def _shown(value: Any) -> str:
    if not hasattr(value, "seconds"):
        return str(value)
    if value.DESCRIPTOR.name == "Duration":
        return f"{value.seconds}s"
    return (_SINCE + datetime.timedelta(seconds=value.seconds)).isoformat().replace("+00:00", "Z")
