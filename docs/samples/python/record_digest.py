"""The canonical text of a record, its digest, and the fingerprint of a set of records. 记录的规范文本、摘要与集合指纹

Needs Python 3.11 and nothing else; docs/canonical-text.md says what it does. 规则见该文档。
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone

NAMES = (
    "record_id",
    "lot_id",
    "direction",
    "event_time_ms",
    "plate_number",
    "plate_colour",
    "plate_kind",
    "plate_state",
    "vehicle_class",
    "gate_id",
    "lane_id",
    "berth_id",
    "device_id",
    "visit_id",
    "parking_type",
    "release_method",
    "release_reason",
)
"""The facts that the digest covers, in their order. 参与摘要的事实及其次序"""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


def facts_of(record: Mapping[str, str | int]) -> dict[str, str | int]:
    """The facts of a record as it is sent in JSON, its enums written as numbers. 由 JSON 记录取事实，枚举须为数字

    ValueError when an enum is written by its name. 枚举写作名称时报错。
    """
    facts: dict[str, str | int] = {}
    for name in NAMES:
        first, *rest = name.removesuffix("_ms").split("_")
        value = record.get(first + "".join(word.capitalize() for word in rest), "")
        if name == "event_time_ms":
            value = (datetime.fromisoformat(str(value)) - _EPOCH) // timedelta(milliseconds=1)
        elif isinstance(value, str) and value.startswith(f"{name.upper()}_"):
            raise ValueError(f"{name} is to be a number 须为数字")
        facts[name] = value
    return facts


def canonical(facts: Mapping[str, str | int]) -> bytes:
    """The canonical text; empty text and 0 are not stated. 规范文本；空串与 0 为未填写"""
    text = "parkmesh.access.record/1\n"
    for name in NAMES:
        value = facts.get(name)
        if value not in (None, "", 0):
            text += f"{name}={len(str(value).encode())}:{value}\n"
    return text.encode()


def digest(facts: Mapping[str, str | int]) -> bytes:
    """SHA-256 of the canonical text, 32 bytes. 摘要，32 字节"""
    return hashlib.sha256(canonical(facts)).digest()


def fingerprint(digests: Iterable[bytes]) -> dict[str, str | int]:
    """How many, and the sum of the digests modulo 2^256, as JSON has it. 条数与摘要之和（模 2^256，base64）"""
    numbers = [int.from_bytes(each, "big") for each in digests]
    total = sum(numbers) % 2**256
    return {"count": len(numbers), "digestSum": base64.b64encode(total.to_bytes(32, "big")).decode()}
