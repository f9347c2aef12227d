"""Census files as the world writes them, and as somebody who means harm does."""

import datetime
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_FORMAT_CSV,
    SURVEY_FORMAT_XLSX,
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_LOTS,
    SurveyFormat,
)
from registry.errors import SurveyUnreadable
from registry.surveys import file, layout, xlsx_sheet
from registry.surveys.columns import columns
from registry.surveys.sheet import MOST_COLUMNS, MOST_ROWS, Line
from registry.surveys.testing import csv_of, saved, xlsx_of

ROWS = [
    {"登记编号": "0001", "名称": "文献路“一号”停车场, 东", "收费标准": '首小时"5元"\n之后2元', "备注": ""},
    {"登记编号": "350302", "名称": "镕基路停车场", "收费标准": "", "备注": "a;b"},
]
TEXTS = [tuple(row.values()) for row in ROWS]
TEXTS[0] = TEXTS[0][:3]


def rule(content: bytes, written: SurveyFormat.ValueType = SURVEY_FORMAT_CSV) -> str:
    """The rule by which a file is refused. Nothing of the file may be told."""
    with pytest.raises(SurveyUnreadable) as refused:
        file.read(content, written)
    (violation,) = refused.value.fields
    assert violation.field == "content"
    assert "must" in violation.description
    assert any(character >= "\u4e00" for character in violation.chinese)
    return violation.rule


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_csv_reads_as_it_was_written(encoding: str, delimiter: str, end: str) -> None:
    sheet = file.read(csv_of(ROWS, encoding=encoding, delimiter=delimiter, end=end), SURVEY_FORMAT_CSV)
    assert sheet.heading == tuple(ROWS[0])
    assert [line.cells for line in sheet.lines] == TEXTS


def test_workbook_reads_as_the_same_table() -> None:
    sheet = file.read(xlsx_of(ROWS), SURVEY_FORMAT_XLSX)
    assert sheet.heading == tuple(ROWS[0])
    assert [line.cells for line in sheet.lines] == TEXTS


def test_lines_are_counted_as_an_editor_does_and_blank_ones_are_no_rows() -> None:
    content = '登记编号,名称\n1,"两\n行"\n\n , \n4,末行\n'.encode()
    assert file.read(content, SURVEY_FORMAT_CSV).lines == [Line(2, ("1", "两\n行")), Line(6, ("4", "末行"))]


def workbook(*rows: list[Any]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return book


def cells(book: openpyxl.Workbook) -> list[tuple[str, ...]]:
    sheet = file.read(saved(book), SURVEY_FORMAT_XLSX)
    return [sheet.heading, *(line.cells for line in sheet.lines)]


def test_numbers_dates_and_times_become_the_texts_that_the_sheet_shows() -> None:
    book = workbook(
        ["列"] * 8,
        [
            350302,
            25.431028,
            120.0,
            True,
            datetime.datetime(2026, 3, 1),  # noqa: DTZ001 - a sheet's times have no zone
            datetime.datetime(2026, 3, 1, 8, 30),  # noqa: DTZ001
            datetime.time(8, 0),
            "007",
        ],
    )
    book.worksheets[0].append([7, 7])
    book.worksheets[0]["A3"].number_format = "0000"
    assert cells(book)[1:] == [
        ("350302", "25.431028", "120", "TRUE", "2026-03-01", "2026-03-01 08:30:00", "08:00", "007"),
        ("0007", "7"),
    ]


def test_hidden_sheets_and_sheets_behind_the_first_are_passed_over() -> None:
    book = workbook(["藏"])
    book.worksheets[0].sheet_state = "hidden"
    book.create_sheet("二").append(["示"])
    book.create_sheet("三").append(["后"])
    assert cells(book) == [("示",)]


def test_of_merged_cells_the_first_has_the_text() -> None:
    book = workbook(["甲", "乙", "丙"], ["1", None, "3"])
    book.worksheets[0].merge_cells("A2:B2")
    assert cells(book) == [("甲", "乙", "丙"), ("1", "", "3")]


def parts(content: bytes, changed: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """A workbook with some of its parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            copy.writestr(name, changed.get(name, bytes)(source.read(name)))
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_formulas_count_by_their_stored_results() -> None:
    content = parts(
        saved(workbook(["名称", "泊位数"], ["=A1", "=1+1"])),
        {SHEET: lambda xml: xml.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(b"<v/>", b"<v></v>")},
    )
    assert file.read(content, SURVEY_FORMAT_XLSX).lines == [Line(2, ("", "2"))]


def test_what_a_sheet_says_of_its_own_size_is_not_believed() -> None:
    content = parts(xlsx_of(ROWS), {SHEET: lambda xml: xml.replace(b'ref="A1:D3"', b'ref="A1:A1"')})
    assert [line.cells for line in file.read(content, SURVEY_FORMAT_XLSX).lines] == TEXTS


def declared(content: bytes, name: str, size: int) -> bytes:
    """A workbook whose directory tells a lie about how large a part is."""
    at = content.index(name.encode(), content.index(b"PK\x01\x02")) - 46
    while content[at : at + 4] != b"PK\x01\x02":
        at = content.index(name.encode(), at + 47) - 46
    return content[: at + 24] + struct.pack("<I", size) + content[at + 28 :]


def shared(xml: bytes = b"<si><t>\xe5\x88\x97</t></si>", place: bytes = b"0") -> bytes:
    """A workbook whose one text stands in the table of shared strings, as Excel puts it."""
    namespace = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + kind + b'"/></Types>'
    cell = b'<c r="A1" t="s"><v>' + place + b"</v></c>"
    content = parts(
        saved(workbook(["x"])),
        {
            SHEET: lambda sheet: sheet[: sheet.index(b"<c ")] + cell + sheet[sheet.index(b"</row>") :],
            "[Content_Types].xml": lambda types: types.replace(b"</Types>", override),
        },
    )
    target = io.BytesIO(content)
    with zipfile.ZipFile(target, "a") as archive:
        table = b"<sst " + namespace + b">" + xml + b"</sst>"
        archive.writestr("xl/sharedStrings.xml", xml if xml.startswith(b"<!") else table)
    return target.getvalue()


def test_shared_strings_are_read() -> None:
    assert file.read(shared(), SURVEY_FORMAT_XLSX).heading == ("列",)


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
GOOD = xlsx_of(ROWS)


def number(text: bytes) -> bytes:
    """A workbook with such a number in its second row."""
    return parts(
        saved(workbook(["x"], [1.5])),
        {SHEET: lambda xml: xml.replace(b"<v>1.5</v>", b"<v>" + text + b"</v>")},
    )


def echo() -> bytes:
    """A workbook that shows one long text in every row."""
    text = b"<si><t>" + b"x" * 32_000 + b"</t></si>"
    row = b'<row><c t="s"><v>0</v></c></row>'
    return parts(shared(text), {SHEET: lambda xml: xml.replace(b"</sheetData>", row * 600 + b"</sheetData>")})


def bomb() -> bytes:
    return parts(GOOD, {SHEET: lambda _: b" " * (xlsx_sheet.MOST_BYTES + 1)})


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (b"", "survey.xlsx"),
        (b"PK\x03\x04", "survey.xlsx"),
        (GOOD[: len(GOOD) // 2], "survey.xlsx"),
        (csv_of(ROWS), "survey.xlsx"),
        (parts(GOOD, {SHEET: lambda xml: LAUGHS + xml[xml.index(b"<worksheet") :]}), "survey.xlsx"),
        (shared(LAUGHS + b"<sst>&b;</sst>"), "survey.xlsx"),
        (parts(GOOD, {"xl/workbook.xml": lambda xml: LAUGHS + xml[xml.index(b"<workbook") :]}), "survey.xlsx"),
        (parts(GOOD, {"[Content_Types].xml": lambda xml: LAUGHS + xml[xml.index(b"<Types") :]}), "survey.xlsx"),
        (shared(place=b"999999"), "survey.xlsx"),
        (parts(GOOD, {SHEET: lambda xml: xml.replace(b'<row r="1"', b'<row r="x"')}), "survey.xlsx"),
        (parts(GOOD, {SHEET: lambda xml: xml[:200]}), "survey.xlsx"),
        (parts(GOOD, {"xl/workbook.xml": lambda xml: xml.replace(b'"visible"', b'"hidden"')}), "survey.xlsx"),
        (number(b"1e999"), "survey.xlsx"),
        (number(b"nan"), "survey.xlsx"),
        (number(b"x"), "survey.xlsx"),
        (bomb(), "survey.unpacked_size"),
        (declared(bomb(), SHEET, 1000), "survey.xlsx"),
        (declared(GOOD, SHEET, 2**31), "survey.unpacked_size"),
        (declared(GOOD, "xl/styles.xml", xlsx_sheet.MOST_BYTES_BESIDE), "survey.unpacked_size"),
        (echo(), "survey.characters"),
        (parts(GOOD, {SHEET: lambda _: b"<c/>" * (xlsx_sheet.MOST_TAGS + 1)}), "survey.cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_workbooks_that_are_none_or_mean_harm_are_refused(content: bytes, refused: str) -> None:
    assert rule(content, SURVEY_FORMAT_XLSX) == refused


@pytest.mark.parametrize("number", [b"200003", b"999999999999"])
def test_a_row_beyond_all_bounds_is_not_passed_over(number: bytes) -> None:
    content = parts(GOOD, {SHEET: lambda xml: xml.replace(b'<row r="3"', b'<row r="' + number + b'"')})
    assert rule(content, SURVEY_FORMAT_XLSX) == "survey.rows"


def test_a_row_behind_many_blank_ones_is_read() -> None:
    content = parts(GOOD, {SHEET: lambda xml: xml.replace(b'<row r="3"', b'<row r="150000"')})
    assert [line.number for line in file.read(content, SURVEY_FORMAT_XLSX).lines] == [2, 150_000]


def test_many_small_parts_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(xlsx_sheet.MOST_ENTRIES + 1):
            archive.writestr(f"{number}", b"")
    assert rule(target.getvalue(), SURVEY_FORMAT_XLSX) == "survey.unpacked_size"


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (GOOD, "survey.encoding"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "survey.encoding"),
        ("登记编号,名称\n1,停车场".encode("utf-16"), "survey.encoding"),
        ("Number,Name\n1,Caf\xe9, Z\xfcrich\n".encode("cp1252"), "survey.encoding"),
        (b"\xff\xfe\xfd", "survey.encoding"),
        ("登记编号,名称\n1,停\0车场\n".encode(), "survey.nul"),
        ('登记编号,名称\n1,"停车场\n'.encode(), "survey.csv"),
        ('登记编号,名称\n1,"停"车场\n'.encode(), "survey.csv"),
        (f"登记编号,名称\n1,{'长' * 200_000}\n".encode(), "survey.csv"),
        ("\n登记编号,名称\n1,停车场\n".encode(), "survey.heading"),
        (b" , ,\n", "survey.heading"),
        (b"a" + b"," * MOST_COLUMNS + b"b\n", "survey.columns"),
        (b"a\n1" + b"," * 1_000_000 + b"2\n", "survey.columns"),
        (b"a\n" + b"1\n" * (MOST_ROWS + 1), "survey.rows"),
        (b"a\n" + b"\n" * (2 * MOST_ROWS + 1), "survey.rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_texts_that_are_none_or_mean_harm_are_refused(content: bytes, refused: str) -> None:
    assert rule(content) == refused


def test_as_many_rows_and_columns_as_there_may_be_are_read() -> None:
    wide = b",".join(b"x" for _ in range(MOST_COLUMNS)) + b"\n"
    assert len(file.read(wide, SURVEY_FORMAT_CSV).heading) == MOST_COLUMNS
    assert len(file.read(b"a\n" + b"1\n" * MOST_ROWS, SURVEY_FORMAT_CSV).lines) == MOST_ROWS


@pytest.mark.parametrize("bound", [MOST_COLUMNS, MOST_COLUMNS + 1, 300])
def test_a_wide_workbook_is_refused(bound: int) -> None:
    content = saved(workbook(["x"] * bound))
    if bound > MOST_COLUMNS:
        assert rule(content, SURVEY_FORMAT_XLSX) == "survey.columns"
    else:
        assert len(file.read(content, SURVEY_FORMAT_XLSX).heading) == bound


def test_headings_are_known_in_both_languages_whatever_their_width_case_and_blanks() -> None:
    lots = columns(SURVEY_SUBJECT_LOTS)
    shape = layout.of(["registration_number", " 名 称 ", "ＴＹＰＥ", "限高(厘米)", "楼主", ""], lots)
    assert shape.places == {"registrationNumber": 0, "name": 1, "type": 2, "heightLimitCm": 3}
    assert shape.unknown == ("楼主",)


@pytest.mark.parametrize("subject", [SURVEY_SUBJECT_LOTS, SURVEY_SUBJECT_BERTHS])
def test_every_heading_means_one_column(subject: Any) -> None:
    for column in columns(subject):
        for text in (column.name, column.chinese, *column.synonyms):
            others = [other.name for other in columns(subject) if other.identifies and other.name != column.name]
            assert layout.of([text, *others], columns(subject)).places[column.name] == 0


@pytest.mark.parametrize(
    ("heading", "subject", "refused", "named"),
    [
        (["名称"], SURVEY_SUBJECT_LOTS, "survey.column_missing", "registrationNumber"),
        (["登记编号", "名称", "停车场名称"], SURVEY_SUBJECT_LOTS, "survey.column_twice", "2 and 3"),
        (["登记编号", "泊位类别"], SURVEY_SUBJECT_BERTHS, "survey.column_missing", "berthId"),
        (["泊位编号"], SURVEY_SUBJECT_BERTHS, "survey.column_missing", "registrationNumber"),
    ],
)
def test_headings_that_do_not_do_are_refused(heading: list[str], subject: Any, refused: str, named: str) -> None:
    with pytest.raises(SurveyUnreadable) as error:
        layout.of(heading, columns(subject))
    assert error.value.fields[0].rule == refused
    assert named in error.value.fields[0].description


def test_police_codes_alone_tell_berths() -> None:
    assert layout.of(["公安泊位编码", "位置描述"], columns(SURVEY_SUBJECT_BERTHS)).places == {
        "policeCode": 0,
        "place": 1,
    }
