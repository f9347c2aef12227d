"""Values of ClickHouse as a spreadsheet's cells."""

import datetime
import json
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def text(value: Any) -> str:
    """A value as a cell of a CSV file; empty when it is absent. Numbers are never guarded: a formula is a text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return json.dumps(list(value), ensure_ascii=False, default=text)
    return str(value)


def guarded(told: str) -> str:
    """The text, preceded by an apostrophe when a spreadsheet would take it for a formula (CSV injection)."""
    return f"'{told}" if told.startswith(_FORMULA) else told
