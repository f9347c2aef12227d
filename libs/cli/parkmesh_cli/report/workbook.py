"""The report as a workbook: the same figures as the page, numbers as numbers, each sheet with its sources."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from parkmesh_cli.report.report import Ratio, Report, Share, Table, Value

_HEAD: Final = Font(bold=True, color="FFFFFF")
_BAND: Final = PatternFill("solid", fgColor="0D5C63")
_NOT_IN_TITLES: Final = str.maketrans("", "", r"[]:*?/\\")
_WIDEST: Final = 60


def write(report: Report, path: Path) -> None:
    """Writes the workbook. OSError."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "概览"
    _rows(sheet, ("指标", "数值", "单位", "说明", "出处"), [], ())
    for figure in report.figures:
        _append(sheet, (figure.label, figure.value, figure.unit, figure.hint, _numbers(figure.sources)))
    _append(sheet, ())
    _append(sheet, ("对象", report.subject))
    _append(sheet, ("日期", report.date))
    _append(sheet, ("制表时间（北京时间）", report.made))
    _fit(sheet)
    for table in (report.chart.as_table(), *report.tables):
        _sheet(book, table)
    sources = [(one.number, one.call, one.query_name, one.as_of) for one in report.sources]
    _sheet(book, Table("数据出处", ("编号", "调用", "查询", "数据截至（北京时间）"), sources, ()))
    queries = [(name, sql) for name, sql in report.queries.items()]
    _sheet(book, Table("查询语句", ("查询", "语句"), queries, ()))
    book.save(path)


def _sheet(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(table.title.translate(_NOT_IN_TITLES)[:31])
    _rows(sheet, table.columns, table.rows, table.sources)
    if not table.rows:
        _append(sheet, (table.empty,))
    _fit(sheet)


def _rows(sheet: Any, columns: Sequence[str], rows: Iterable[Sequence[Value]], sources: Sequence[int]) -> None:
    _append(sheet, columns)
    for cell in sheet[1]:
        cell.font, cell.fill = _HEAD, _BAND
    sheet.freeze_panes = "A2"
    for row in rows:
        _append(sheet, row)
    if sources:
        _append(sheet, ())
        _append(sheet, ("出处", _numbers(sources)))


def _append(sheet: Any, values: Sequence[Value]) -> None:
    sheet.append([None] * max(len(values), 1))
    for cell, value in zip(sheet[sheet.max_row], values, strict=False):
        if isinstance(value, Share):
            cell.value = value.part / value.whole if value.whole else None
            cell.number_format = "0.0%"
        elif isinstance(value, Ratio):
            cell.value = value.permille / 1000
            cell.number_format = "0.00"
        elif isinstance(value, str):
            cell.value = value
            cell.data_type = "s"  # a name that begins with = is no formula
        else:
            cell.value = value


def _numbers(sources: Sequence[int]) -> str:
    return "、".join(f"[{number}]" for number in dict.fromkeys(sources))


def _fit(sheet: Any) -> None:
    for place, column in enumerate(sheet.iter_cols(), 1):
        # A Chinese character is as wide as two Latin ones.
        widest = max(
            (sum(2 if ord(each) > 0x2E80 else 1 for each in str(cell.value or "")) for cell in column), default=0
        )
        sheet.column_dimensions[get_column_letter(place)].width = min(max(widest, 6) + 2, _WIDEST)
