"""A sheet: the lines of a census file as texts, whatever its format, and the bounds that it keeps."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from vocabulary import refusal
from vocabulary.refusal import Refusal

MOST_ROWS: Final = 100_000
MOST_LINES: Final = 2 * MOST_ROWS
"""How many lines there may be, blank ones included: whoever reads them takes time for each."""
MOST_COLUMNS: Final = 64
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""How long all cells of a sheet may be together: a workbook can show one long text in every cell."""


class SheetRule(refusal.Rule):
    """Why a file cannot be read."""

    ENCODING = (
        "survey.encoding",
        "must be text in UTF-8 or GB 18030; a workbook is sent as SURVEY_FORMAT_XLSX",
        "须为UTF-8或GB 18030编码的文本；工作簿请以 SURVEY_FORMAT_XLSX 发送",
    )
    CSV = (
        "survey.csv",
        "must be well-formed CSV; from line {line} on it is not: look for a quote that is not closed or not doubled",
        "须为格式正确的CSV；自第{line}行起有误，请检查未闭合或未成对的引号",
    )
    XLSX = (
        "survey.xlsx",
        "must be an Office Open XML workbook (.xlsx) with a sheet that is not hidden, without a password and without"
        " XML entities",
        "须为Office Open XML工作簿（.xlsx），含未隐藏的工作表，不加密，且不含XML实体",
    )
    LARGE = (
        "survey.unpacked_size",
        "must not unpack to more than {mebibytes} MiB in {entries} parts; leave out pictures, styles and other sheets",
        "解压后不得超过{mebibytes} MiB、{entries}个部件；请去除图片、样式和其他工作表",
    )
    CELLS = (
        "survey.cells",
        "must have at most some 700,000 cells, empty ones with a format included; CSV may have more",
        "单元格（含带格式的空单元格）至多约70万个；更多请使用CSV",
    )
    ROWS = (
        "survey.rows",
        f"must have at most {MOST_ROWS:,} rows below the heading, and at most as many blank ones",
        f"表头以下至多{MOST_ROWS:,}行，空行不得更多",
    )
    COLUMNS = ("survey.columns", f"must have at most {MOST_COLUMNS} columns", f"至多{MOST_COLUMNS}列")
    CHARACTERS = (
        "survey.characters",
        f"must have at most {MOST_CHARACTERS:,} characters in all its cells together",
        f"所有单元格合计至多{MOST_CHARACTERS:,}个字符",
    )
    NUL = ("survey.nul", "must not hold the character NUL; line {line} does", "不得含有NUL字符，见第{line}行")
    EMPTY = (
        "survey.heading",
        "must name its columns in the first line",
        "第一行须为列名",
    )


class Line(NamedTuple):
    """One line of a sheet."""

    number: int
    """Where it stands in the file, the heading being line 1."""
    cells: tuple[str, ...]
    """Its texts, without blanks at their ends; empty for what is not filled in."""


class Sheet(NamedTuple):
    """A heading and the lines below it that are not blank."""

    heading: tuple[str, ...]
    lines: list[Line]


def gathered(lines: Iterable[Line]) -> Sheet:
    """The sheet that these lines make, blank ones left out. Refusal by a `SheetRule`."""
    heading: tuple[str, ...] | None = None
    rows: list[Line] = []
    characters = 0
    for seen, line in enumerate(lines):
        if seen > MOST_LINES:
            raise Refusal(SheetRule.ROWS)
        characters += sum(map(len, line.cells))
        if characters > MOST_CHARACTERS:
            raise Refusal(SheetRule.CHARACTERS)
        cells = _trimmed(line.cells)
        if any("\0" in cell for cell in cells):
            raise Refusal(SheetRule.NUL, line=line.number)
        if len(cells) > MOST_COLUMNS:
            raise Refusal(SheetRule.COLUMNS)
        if heading is None:
            if line.number != 1 or not cells:
                raise Refusal(SheetRule.EMPTY)
            heading = cells
        elif cells:
            rows.append(Line(line.number, cells))
        if len(rows) > MOST_ROWS:
            raise Refusal(SheetRule.ROWS)
    if heading is None:
        raise Refusal(SheetRule.EMPTY)
    return Sheet(heading, rows)


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Without blanks around the texts, and without empty cells at the end."""
    texts = [cell.strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)
