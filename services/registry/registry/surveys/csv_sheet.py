"""CSV as spreadsheets write it: UTF-8 or GB 18030; commas, semicolons or tabs; quoted cells; any end of line."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from vocabulary.refusal import Refusal

from registry.surveys.sheet import Line, SheetRule

DELIMITERS: Final = ",;\t"
_PACKED: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


def lines(content: bytes) -> Iterator[Line]:
    """The lines of a file; one whose quoted cell spans several counts as where it begins. Refusal by a `SheetRule`."""
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield Line(begins, tuple(cells))
            begins = reader.line_num + 1
    except csv.Error:
        raise Refusal(SheetRule.CSV, line=begins) from None


def _decoded(content: bytes) -> str:
    if content.startswith((_PACKED, _OLD_WORKBOOK)):
        raise Refusal(SheetRule.ENCODING)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal(SheetRule.ENCODING)


def _delimiter(text: str) -> str:
    """The one that the heading has most of; a comma when it has none."""
    heading = text.partition("\n")[0]
    return max(DELIMITERS, key=heading.count)
