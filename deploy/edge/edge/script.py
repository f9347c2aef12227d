"""Puts the Lua script together: the tables that follow from the protos and the reasons, then the code."""

import pathlib
from collections.abc import Mapping
from typing import Any

from edge import refusals
from edge.contract import Contract

Value = bool | int | str | bytes | Mapping[Any, Any]
SINGLE, LIST = 1, 2
CODE = pathlib.Path(__file__).with_name("script.lua")
UNKNOWN_FIELDS = "x-parkmesh-unknown-fields"
EXPECTED = {
    "": "The value has the wrong type.",
    "object": "The value must not be an object.",
    "TYPE_INT32": "The value must be a whole number in the range of 32 bits.",
    "TYPE_INT64": "The value must be a whole number in the range of 64 bits.",
    "TYPE_UINT32": "The value must be a whole number in the range of 32 bits, not negative.",
    "TYPE_DOUBLE": "The value must be a number.",
    "TYPE_BOOL": "The value must be true or false.",
    "TYPE_STRING": "The value must be a string.",
    "TYPE_BYTES": "The value must be a string in base64.",
    "type.googleapis.com/google.protobuf.Timestamp": (
        "The value must be a time by RFC 3339 with an offset, such as 2024-03-14T08:00:00+08:00."
    ),
}


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
        "EXPECTED": {**EXPECTED, **contract.enums},
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
