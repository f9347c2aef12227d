"""A CSV file as spreadsheets write it: UTF-8 or GB 18030; commas, semicolons or tabs; quoted cells."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from parkmesh_cli.collect.columns import REQUIRED, Column, column
from parkmesh_cli.errors import CliError

_DELIMITERS: Final = ",;\t"


class Line(NamedTuple):
    """A line of the file that is not blank."""

    number: int
    """Where it begins, the heading being line 1."""
    cells: Mapping[Column, str]
    """By column, without blanks around; empty for a column that the file lacks."""


def read(path: Path) -> list[Line]:
    """The lines after the heading. OSError without the file; CliError, with the line, for one that is no such table."""
    rows = _rows(path)
    if not rows:
        raise CliError(f"{path}: the file is empty 文件为空")
    columns = _heading(path, rows[0][1])
    lines = []
    for number, cells in rows[1:]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(columns):
            raise CliError(f"{path}, line {number}: more cells than the heading has 单元格多于表头")
        found = {known: cell.strip() for known, cell in zip(columns, cells, strict=False) if known is not None}
        lines.append(Line(number, {each: found.get(each, "") for each in Column}))
    if not lines:
        raise CliError(f"{path}: there is no line below the heading 表头之下没有数据")
    return lines


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    text = _decoded(path)
    heading = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=heading.count), strict=True)
    rows, begins = [], 1
    try:
        for cells in reader:
            rows.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise CliError(f"{path}, line {begins}: a quoted cell does not end, or is followed by text 引号有误") from error
    return rows


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CliError(f"{path}: the file is neither UTF-8 nor GB 18030: save it as CSV 文件编码须为 UTF-8 或 GB 18030")


def _heading(path: Path, titles: Sequence[str]) -> list[Column | None]:
    columns = [column(title) for title in titles]
    known = [each for each in columns if each is not None]
    twice = {each.value for each in known if known.count(each) > 1}
    if twice:
        raise CliError(f"{path}, line 1: twice in the heading 表头重复: {', '.join(sorted(twice))}")
    missing = [each.title for each in REQUIRED if each not in known]
    if missing:
        raise CliError(f"{path}, line 1: the heading lacks 表头缺少: {', '.join(missing)}")
    return columns
