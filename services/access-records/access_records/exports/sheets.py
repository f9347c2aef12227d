"""Files of rows, written a block at a time and never held in memory: CSV, XLSX and Parquet."""

import csv
import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from parkmesh.access.v1 import export_pb2

from access_records.exports import cells

MOST_XLSX_ROWS: Final = 1_048_575
"""What a sheet holds below its heading."""
SUFFIXES: Final = {
    export_pb2.EXPORT_FORMAT_CSV: "csv",
    export_pb2.EXPORT_FORMAT_XLSX: "xlsx",
    export_pb2.EXPORT_FORMAT_PARQUET: "parquet",
}
"""How a file's name ends."""
CONTENT_TYPES: Final = {
    export_pb2.EXPORT_FORMAT_CSV: "text/csv; charset=utf-8",
    export_pb2.EXPORT_FORMAT_XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    export_pb2.EXPORT_FORMAT_PARQUET: "application/vnd.apache.parquet",
}
"""What it is served as."""
_TIME_FORMAT: Final = "yyyy-mm-dd hh:mm:ss.000"

Column = tuple[str, str]
"""A column's name and its ClickHouse type."""
Rows = Sequence[Sequence[Any]]


class Sheet(Protocol):
    """A file that is being written."""

    def write(self, rows: Rows) -> None:
        """Adds rows."""

    def close(self) -> None:
        """Completes the file."""

    def abandon(self) -> None:
        """Lets go of what it holds; the file is worth nothing. After `close` it does nothing."""


class CsvSheet:
    """CSV as Excel reads it: a byte-order mark, CRLF, times at +08:00."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([name for name, _ in columns])

    def write(self, rows: Rows) -> None:
        """See `Sheet`."""
        self._writer.writerows([cells.text(value) for value in row] for row in rows)

    def close(self) -> None:
        """See `Sheet`."""
        self._file.close()

    def abandon(self) -> None:
        """See `Sheet`."""
        self._file.close()


class XlsxSheet:
    """One sheet; times are Beijing's, as Excel's times have no zone. openpyxl keeps its rows in a temporary file."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._path = path
        self._closed = False
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet("export")
        self._sheet.append([name for name, _ in columns])

    def write(self, rows: Rows) -> None:
        """See `Sheet`."""
        for row in rows:
            self._sheet.append([self._cell(value) for value in row])

    def close(self) -> None:
        """See `Sheet`."""
        self._book.save(self._path)
        self._closed = True

    def abandon(self) -> None:
        """See `Sheet`."""
        if not self._closed:
            self._closed = True
            self._sheet.close()
            self._sheet._writer.cleanup()  # only saving a book removes its temporary file

    def _cell(self, value: Any) -> Any:
        if isinstance(value, datetime.datetime):
            cell = WriteOnlyCell(self._sheet, value=value.replace(tzinfo=None))
            cell.number_format = _TIME_FORMAT
            return cell
        if value is None or isinstance(value, int | float):
            return value
        if not isinstance(value, str):
            return cells.text(value)
        told = ILLEGAL_CHARACTERS_RE.sub("", value)
        if not told.startswith("="):
            return told
        cell = WriteOnlyCell(self._sheet, value=told)
        cell.data_type = "s"  # openpyxl would make a formula of it
        return cell


class ParquetSheet:
    """Parquet with the columns' own types, a row group for each block."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        # Loaded when the first such file is made: Arrow takes tens of megabytes that no upload needs.
        import pyarrow as arrow  # type: ignore[import-untyped]
        import pyarrow.parquet as parquet  # type: ignore[import-untyped]

        self._arrow = arrow
        self._schema = arrow.schema([(name, self._type(told)) for name, told in columns])
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, rows: Rows) -> None:
        """See `Sheet`."""
        if rows:
            turned = zip(*rows, strict=True)
            arrays = [self._arrow.array(values, field.type) for values, field in zip(turned, self._schema, strict=True)]
            self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        """See `Sheet`."""
        self._writer.close()

    def abandon(self) -> None:
        """See `Sheet`."""
        self._writer.close()

    def _type(self, told: str) -> Any:
        """The Arrow type of a ClickHouse type; KeyError for one that no published view has."""
        if inner := re.fullmatch(r"(?:LowCardinality|Nullable)\((.*)\)", told):
            return self._type(inner[1])
        if inner := re.fullmatch(r"Array\((.*)\)", told):
            return self._arrow.list_(self._type(inner[1]))
        if inner := re.fullmatch(r"DateTime64\(3, '(.*)'\)", told):
            return self._arrow.timestamp("ms", tz=inner[1])
        name = told.partition("(")[0]
        return self._arrow.type_for_alias(_ARROW[name])


_ARROW: Final = {
    "String": "string",
    "Enum8": "string",
    "FixedString": "binary",
    "Bool": "bool",
    "Float64": "double",
    "Date": "date32",
    **{f"{sign}Int{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
}


def opened(path: Path, format: export_pb2.ExportFormat.ValueType, columns: Sequence[Column]) -> Sheet:  # noqa: A002
    """A new file with these columns, and no rows yet."""
    made: dict[int, type[CsvSheet] | type[XlsxSheet] | type[ParquetSheet]] = {
        export_pb2.EXPORT_FORMAT_CSV: CsvSheet,
        export_pb2.EXPORT_FORMAT_XLSX: XlsxSheet,
        export_pb2.EXPORT_FORMAT_PARQUET: ParquetSheet,
    }
    return made[format](path, columns)
