"""What would be right where a field breaks a rule of the protos, in English and Chinese: never what was sent."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from buf.validate import validate_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.annotations.v1 import expects_pb2


class Words(NamedTuple):
    """The end of a sentence about the field: `must be at most 64`, `不得大于 64`."""

    english: str
    chinese: str


REQUIRED: Final = Words("is required", "必填")
"""What is left out, or empty where it must not be."""

_BOUNDS: Final = {
    "const": Words("must be {const}", "须为 {const}"),
    "in": Words("must be one of {in}", "须为以下之一：{in}"),
    "not_in": Words("must be none of {not_in}", "不得为以下之一：{not_in}"),
    "finite": Words("must be a finite number", "须为有限数值"),
    "lt": Words("must be less than {lt}", "须小于 {lt}"),
    "lte": Words("must be at most {lte}", "不得大于 {lte}"),
    "gt": Words("must be more than {gt}", "须大于 {gt}"),
    "gte": Words("must be at least {gte}", "不得小于 {gte}"),
    "gt_lt": Words("must be more than {gt} and less than {lt}", "须大于 {gt} 且小于 {lt}"),
    "gt_lte": Words("must be more than {gt} and at most {lte}", "须大于 {gt} 且不大于 {lte}"),
    "gte_lt": Words("must be at least {gte} and less than {lt}", "须不小于 {gte} 且小于 {lt}"),
    "gte_lte": Words("must be from {gte} to {lte}", "须在 {gte} 至 {lte} 之间"),
    "gt_lt_exclusive": Words("must be more than {gt} or less than {lt}", "须大于 {gt} 或小于 {lt}"),
    "gt_lte_exclusive": Words("must be more than {gt} or at most {lte}", "须大于 {gt} 或不大于 {lte}"),
    "gte_lt_exclusive": Words("must be at least {gte} or less than {lt}", "须不小于 {gte} 或小于 {lt}"),
    "gte_lte_exclusive": Words("must be at least {gte} or at most {lte}", "须不小于 {gte} 或不大于 {lte}"),
}
_NUMBERS: Final = ("float", "double", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "duration", "timestamp")
_RULES: Final = {
    "required": REQUIRED,
    **{f"{kind}.{rule}": words for kind in _NUMBERS for rule, words in _BOUNDS.items()},
    "timestamp.lt": Words("must be before {lt}", "须早于 {lt}"),
    "timestamp.lte": Words("must not be after {lte}", "不得晚于 {lte}"),
    "timestamp.gt": Words("must be after {gt}", "须晚于 {gt}"),
    "timestamp.gte": Words("must not be before {gte}", "不得早于 {gte}"),
    "timestamp.gt_lt": Words("must be after {gt} and before {lt}", "须晚于 {gt} 且早于 {lt}"),
    "timestamp.gt_lte": Words("must be after {gt} and not after {lte}", "须晚于 {gt} 且不晚于 {lte}"),
    "timestamp.gte_lt": Words("must be from {gte} on and before {lt}", "须不早于 {gte} 且早于 {lt}"),
    "timestamp.gte_lte": Words("must be from {gte} to {lte}", "须在 {gte} 至 {lte} 之间"),
    "timestamp.lt_now": Words("must lie in the past", "须早于当前时间"),
    "timestamp.gt_now": Words("must lie in the future", "须晚于当前时间"),
    "timestamp.within": Words("must lie within {within} of now", "与当前时间相差不得超过 {within}"),
    "string.const": Words("must be `{const}`", "须为“{const}”"),
    "string.in": Words("must be one of {in}", "须为以下之一：{in}"),
    "string.not_in": Words("must be none of {not_in}", "不得为以下之一：{not_in}"),
    "string.len": Words("must have exactly {len} characters", "须为 {len} 个字符"),
    "string.min_len": Words("must have at least {min_len} characters", "至少 {min_len} 个字符"),
    "string.max_len": Words("must have at most {max_len} characters", "最多 {max_len} 个字符"),
    "string.len_bytes": Words("must have exactly {len_bytes} bytes in UTF-8", "UTF-8 编码须为 {len_bytes} 字节"),
    "string.min_bytes": Words("must have at least {min_bytes} bytes in UTF-8", "UTF-8 编码至少 {min_bytes} 字节"),
    "string.max_bytes": Words("must have at most {max_bytes} bytes in UTF-8", "UTF-8 编码最多 {max_bytes} 字节"),
    "string.prefix": Words("must begin with `{prefix}`", "须以“{prefix}”开头"),
    "string.suffix": Words("must end with `{suffix}`", "须以“{suffix}”结尾"),
    "string.contains": Words("must contain `{contains}`", "须包含“{contains}”"),
    "string.not_contains": Words("must not contain `{not_contains}`", "不得包含“{not_contains}”"),
    "string.email": Words("must be an email address", "须为电子邮件地址"),
    "string.hostname": Words("must be a host name", "须为主机名"),
    "string.host_and_port": Words("must be a host and a port", "须为主机与端口"),
    "string.ip": Words("must be an IP address", "须为 IP 地址"),
    "string.ipv4": Words("must be an IPv4 address", "须为 IPv4 地址"),
    "string.ipv6": Words("must be an IPv6 address", "须为 IPv6 地址"),
    "string.ip_prefix": Words("must be an IP network, such as 192.0.2.0/24", "须为 IP 网段，如 192.0.2.0/24"),
    "string.uri": Words("must be an absolute URI, such as https://…", "须为完整的 URI，如 https://…"),
    "string.uuid": Words("must be a UUID", "须为 UUID"),
    "bytes.len": Words("must have exactly {len} bytes", "须为 {len} 字节"),
    "bytes.min_len": Words("must have at least {min_len} bytes", "至少 {min_len} 字节"),
    "bytes.max_len": Words("must have at most {max_len} bytes", "最多 {max_len} 字节"),
    "bool.const": Words("must be {const}", "须为 {const}"),
    "repeated.min_items": Words("must list at least {min_items}", "至少 {min_items} 项"),
    "repeated.max_items": Words("must list at most {max_items}", "最多 {max_items} 项"),
    "repeated.unique": Words("must list nothing twice", "各项不得重复"),
    "map.min_pairs": Words("must have at least {min_pairs} keys", "至少 {min_pairs} 个键"),
    "map.max_pairs": Words("must have at most {max_pairs} keys", "最多 {max_pairs} 个键"),
    "message.oneof": Words("must be stated without the fields that exclude it", "不得与其互斥的字段同时填写"),
}
"""By the rule's id; in braces the values of the rule and of those beside it."""

_COUNTED: Final = {
    r"[A-Za-z0-9_-]": Words("{count} letters, digits, `_` or `-`", "{count} 个字母、数字、“_”或“-”"),
    r"[0-9]": Words("{count} digits", "{count} 位数字"),
    r"[^\x00-\x1f\x7f]": Words(
        "{count} characters, none of them a line break or another control character",
        "{count} 个字符，不得含换行等控制字符",
    ),
}
"""Patterns of the form `^…{1,64}$`, by what is repeated."""
_PATTERNS: Final = {
    r"^[1-9][0-9]{5}$": Words(
        "must be a division code of six digits (GB/T 2260), such as `350302`",
        "须为六位行政区划代码（GB/T 2260），如“350302”",
    ),
    r"^[0-9a-f]{64}$": Words("must be 64 lower-case hexadecimal digits", "须为 64 位小写十六进制数"),
    r"^[^\p{Cc}\p{Cf}]*$": Words("must not contain a line break or another control character", "不得含换行等控制字符"),
    r"^[^\s\p{Cc}\p{Cf}]([^\p{Cc}\p{Cf}]*[^\s\p{Cc}\p{Cf}])?$": Words(
        "must not begin or end with a blank, nor contain a line break or another control character",
        "首尾不得有空格，且不得含换行等控制字符",
    ),
}
"""Patterns of several fields, as they are or as `^(…)?$`. Of any other the proto says what it asks for:
`(parkmesh.annotations.v1.expects)`.
"""
_OPTIONAL: Final = re.compile(r"\^\((.+)\)\?\$")
_REPEATED: Final = re.compile(r"\^(\[.+\])\{(\d+)(,?)(\d*)\}\$")
_MOST_NAMES: Final = 240
"""How many characters the names of an enum's values may fill; a longer list is left to the contract."""


class Unworded(LookupError):  # noqa: N818 - what the rule is
    """There are no words for this rule, or for its pattern."""


def of_rule(rule: str, values: Mapping[str, Any] | None = None) -> Words:
    """The words for a rule's id with the values of the rule and of those beside it; Unworded without them."""
    try:
        words = _RULES[rule]
        shown = {name: _shown(value) for name, value in (values or {}).items()}
        return Words(words.english.format_map(shown), words.chinese.format_map(shown))
    except KeyError:
        raise Unworded(rule) from None


@cache
def of_field(field: FieldDescriptor, path: tuple[str, ...], rule: str) -> Words:
    """The words for a rule that a field states. `path` leads to the rule within the field's rules: `string`, `pattern`.

    Unworded when there are none; then the proto must say what its pattern asks for.
    """
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]
    for name in path[:-1]:
        rules = getattr(rules, name)
    if rule.startswith("enum."):
        return _of_enum(_enum_of(field, path), rules)
    if rule == "string.pattern":
        return _of_pattern(field, rules.pattern)
    return of_rule(rule, {stated.name: value for stated, value in rules.ListFields()})


def of_text(text: str) -> Words:
    """The words of a rule that the proto words itself, in CEL: `must end later 须晚于开始时间`."""
    chinese = next((at for at, letter in enumerate(text) if "\u4e00" <= letter <= "\u9fff"), len(text))
    return Words(text[:chinese].strip(), text[chinese:].strip())


def _of_pattern(field: FieldDescriptor, pattern: str) -> Words:
    options = field.GetOptions()
    if options.HasExtension(expects_pb2.expects):
        stated = options.Extensions[expects_pb2.expects]
        return Words(stated.english, stated.chinese)
    optional = _OPTIONAL.fullmatch(pattern)
    if optional:
        pattern = f"^{optional[1]}$"
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    repeated = _REPEATED.fullmatch(pattern)
    if repeated is None or repeated[1] not in _COUNTED:
        raise Unworded(f"the pattern of {field.full_name}: state (parkmesh.annotations.v1.expects)")
    least, most = int(repeated[2]), int(repeated[4] or repeated[2])
    words = _COUNTED[repeated[1]]
    if repeated[3] and not repeated[4]:
        english, chinese = f"at least {least:,}", f"至少 {least:,}"
    elif least == most:
        english, chinese = f"exactly {most:,}", f"须为 {most:,}"
    elif least:
        english, chinese = f"{least:,} to {most:,}", f"须为 {least:,} 至 {most:,}"
    else:
        english, chinese = f"at most {most:,}", f"最多 {most:,}"
    return Words("must be " + words.english.format(count=english), words.chinese.format(count=chinese))


def _of_enum(enum: EnumDescriptor, rules: validate_pb2.EnumRules) -> Words:
    # Its zero stands for a value that was not stated, so nobody is told to send it.
    allowed = [
        value.name
        for value in enum.values
        if value.number
        and value.number not in rules.not_in
        and (value.number in getattr(rules, "in") or not getattr(rules, "in"))
        and (not rules.HasField("const") or value.number == rules.const)
    ]
    if sum(map(len, allowed)) > _MOST_NAMES:
        return Words(f"must be a value of the enum {enum.name}", f"须为枚举 {enum.name} 的取值")
    return Words(f"must be one of {', '.join(allowed)}", f"须为以下之一：{'、'.join(allowed)}")


def _enum_of(field: FieldDescriptor, path: Sequence[str]) -> EnumDescriptor:
    if path[0] == "map":
        assert field.message_type
        field = field.message_type.fields_by_name["value"]
    assert field.enum_type
    return field.enum_type


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, Timestamp | Duration):
        return value.ToJsonString()
    if isinstance(value, str | Message):
        return str(value)
    return ", ".join(map(_shown, value))
