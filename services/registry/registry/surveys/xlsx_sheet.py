"""XLSX: the first sheet that is not hidden, cell by cell, as the texts that a reader of the sheet would write down."""

import datetime
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException
from vocabulary.refusal import Refusal

from registry.surveys.sheet import MOST_COLUMNS, MOST_LINES, Line, SheetRule

MOST_BYTES: Final = 64 * 1024 * 1024
"""How large the parts of a workbook may be together when they are unpacked."""
MOST_BYTES_BESIDE: Final = 8 * 1024 * 1024
"""How large those may be that are neither sheets nor their texts: styles, pictures, themes."""
MOST_ENTRIES: Final = 512
MOST_TAGS: Final = 4_000_000
"""How many tags the parts may have: openpyxl takes 13 µs for a cell, which has four to six, and holds a whole row."""
_CHUNK: Final = 256 * 1024
_TEXTS: Final = ("xl/worksheets/", "xl/sharedStrings.xml")

_BROKEN: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    InvalidFileException,
    DefusedXmlException,
    ParseError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What openpyxl and what it stands on raise at a file that is none: it promises no exception of its own."""

_ZEROS: Final = re.compile("0{2,32}")


def lines(content: bytes) -> Iterator[Line]:
    """The rows of the sheet, by their numbers. Refusal by a `SheetRule`."""
    if not openpyxl.DEFUSEDXML:
        raise RuntimeError("openpyxl reads workbooks without defusedxml")
    try:
        _check_size(content)
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        shown = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
        # One row and one column more than there may be; what the sheet says of its own size may be wrong. Where rows
        # follow behind the bound, openpyxl gives blank ones up to it, so that the sheet is refused.
        rows = shown[0].iter_rows(max_row=MOST_LINES + 2, max_col=MOST_COLUMNS + 1)
        for number, cells in enumerate(rows, 1):
            blank = all(cell.value is None for cell in cells)  # most rows of some sheets are
            yield Line(number, () if blank else tuple(map(_text, cells)))
    except Refusal:
        raise
    except _BROKEN:
        raise Refusal(SheetRule.XLSX) from None


def _check_size(content: bytes) -> None:
    """By what the archive says of its parts, beyond which none of them is unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        beside = sum(part.file_size for part in parts if not part.filename.startswith(_TEXTS))
        whole = sum(part.file_size for part in parts)
        if len(parts) > MOST_ENTRIES or beside > MOST_BYTES_BESIDE or whole > MOST_BYTES:
            raise Refusal(SheetRule.LARGE, mebibytes=MOST_BYTES // 1024 // 1024, entries=MOST_ENTRIES)
        if sum(_tags(archive, part) for part in parts) > MOST_TAGS:
            raise Refusal(SheetRule.CELLS)


def _tags(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many tags an XML part can have."""
    with archive.open(part) as opened:
        return sum(chunk.count(b"<") for chunk in iter(lambda: opened.read(_CHUNK), b""))


def _text(cell: Any) -> str:
    value = cell.value
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).upper()
        case int():
            return _padded(value, cell.number_format)
        case float() if not math.isfinite(value):
            raise ValueError("no number")
        case float():
            return _padded(int(value), cell.number_format) if value.is_integer() else repr(value)
        case datetime.time() if not (value.second or value.microsecond):
            return value.isoformat("minutes")
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case _:
            return str(value)


def _padded(number: int, number_format: str) -> str:
    """As a format of nothing but zeros shows it: 7 as `007`."""
    return str(number).zfill(len(number_format)) if _ZEROS.fullmatch(number_format) else str(number)
