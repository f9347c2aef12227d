"""Puts the Lua script together: the tables that follow from the protos and the reasons, then the code."""

import pathlib
from collections.abc import Mapping
from typing import Any

from mesh.errors import CHINESE
from mesh.wording import Words

from edge import refusals
from edge.contract import Contract

Value = bool | int | str | bytes | Mapping[Any, Any]
SINGLE, LIST = 1, 2
CODE = pathlib.Path(__file__).with_name("script.lua")
UNKNOWN_FIELDS = "x-parkmesh-unknown-fields"
EXPECTED = {
    "": Words("must not have a value of this type", "值的类型不符"),
    "query": Words("is no query parameter of this method", "此方法没有该查询参数"),
    "object": Words("must not be an object", "不得为对象"),
    "TYPE_INT32": Words("must be a whole number in the range of 32 bits", "须为 32 位范围内的整数"),
    "TYPE_INT64": Words("must be a whole number in the range of 64 bits", "须为 64 位范围内的整数"),
    "TYPE_UINT32": Words("must be a whole number in the range of 32 bits, not negative", "须为 32 位范围内的非负整数"),
    "TYPE_DOUBLE": Words("must be a number", "须为数值"),
    "TYPE_BOOL": Words("must be true or false", "须为 true 或 false"),
    "TYPE_STRING": Words("must be a string", "须为字符串"),
    "TYPE_BYTES": Words("must be a string in base64", "须为 base64 编码的字符串"),
    "type.googleapis.com/google.protobuf.Timestamp": Words(
        "must be a time by RFC 3339 with an offset, such as 2024-03-14T08:00:00+08:00",
        "须为带时区的 RFC 3339 时间，如 2024-03-14T08:00:00+08:00",
    ),
}
"""What is right for a value of each kind, by the transcoder's name for it; `query`: for a parameter that is none."""


def source(contract: Contract, scan_bytes: int) -> str:
    """The script as Envoy runs it; `scan_bytes` of each upload's JSON are searched for unknown fields."""
    return tables(contract, scan_bytes) + CODE.read_text()


def tables(contract: Contract, scan_bytes: int) -> str:
    """What the code needs to know, as Lua."""
    constants: dict[str, Value] = {
        "KNOWN": {name: LIST if listed else SINGLE for name, listed in sorted(contract.upload_fields.items())},
        "SINGLE": SINGLE,
        "SCAN_BYTES": scan_bytes,
        "UPLOAD_PATH": contract.upload_path,
        "UNKNOWN_FIELDS": UNKNOWN_FIELDS,
        "EXPECTED": {kind: words._asdict() for kind, words in {**EXPECTED, **contract.enums}.items()},
        "CHINESE": CHINESE,
        "REFUSALS": refusals.worded(),
        "MARK": refusals.MARK,
        "REQUEST": refusals.REQUEST,
    }
    return "".join(f"local {name} = {lua(value)}\n" for name, value in constants.items())


def lua(value: Value) -> str:
    """A value as a Lua expression; of texts every byte that is not plain ASCII in its decimal form."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return lua(value.encode())
        case bytes():
            return '"' + "".join(chr(byte) if plain(byte) else f"\\{byte:03d}" for byte in value) + '"'
        case _:
            return "{" + ",".join(f"[{lua(key)}]={lua(item)}" for key, item in value.items()) + "}"


def plain(byte: int) -> bool:
    """Whether the byte may stand in a Lua string as it is."""
    return 32 <= byte < 127 and byte not in b'"\\'
