"""`parkmesh admin surveys`: a census is compared with the register, and applied when that is wanted (R8.3)."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.registry.v1 import survey_service_pb2 as service
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_OUTCOME_INVALID,
    Survey,
    SurveyFormat,
    SurveyOutcome,
    SurveyRow,
    SurveySubject,
)
from parkmesh_sdk import Method
from rich.table import Table

from parkmesh_cli import screen
from parkmesh_cli.admin import forms, moments
from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.census import sheet
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.forms import Column, time
from parkmesh_cli.admin.office import Office
from parkmesh_cli.admin.words import Words
from parkmesh_cli.errors import FAILED, MisuseError

app = group("Surveys of lots, gates and berths. 普查")

SUBJECTS: Final = Words(SurveySubject.DESCRIPTOR)
OUTCOMES: Final = Words(SurveyOutcome.DESCRIPTOR)
SURVEYS: Final = (
    Column("survey 普查标识", lambda survey: survey.survey_id, whole=True),
    Column("subject 对象", lambda survey: SUBJECTS.word(survey.subject)),
    Column("source 来源", lambda survey: survey.source),
    Column("by 报送方", lambda survey: survey.author),
    Column(
        "new, changed, missing, invalid 新增 变更 缺失 无效",
        lambda survey: f"{survey.new_rows}/{survey.changed_rows}/{survey.missing_rows}/{survey.invalid_rows}",
    ),
    time("applied 导入时间", "create_time"),
)
_COUNTS: Final = (
    Column("rows 行数", lambda survey: survey.rows),
    Column("new 新增", lambda survey: survey.new_rows),
    Column("changed 变更", lambda survey: survey.changed_rows),
    Column("unchanged 一致", lambda survey: survey.unchanged_rows),
    Column("missing 缺失", lambda survey: survey.missing_rows),
    Column("invalid 无效", lambda survey: survey.invalid_rows),
)
_ROWS: Final = (
    Column("line 行号", lambda row: row.line or moments.ABSENT, whole=True),
    Column("outcome 结果", lambda row: OUTCOMES.word(row.outcome), whole=True),
    Column("object 对象", lambda row: row.key),
    Column("fields 变更字段", lambda row: ", ".join(row.fields)),
    Column("what is wrong 问题", lambda row: _wrong(row)),
)

_FILE: Final = service.DESCRIPTOR
_IMPORT: Final = Method.of(_FILE, "SurveyService", "ImportSurvey", service.ImportSurveyRequest, Survey)
_GET: Final = Method.of(_FILE, "SurveyService", "GetSurvey", service.GetSurveyRequest, Survey)
_LIST: Final = Method.of(_FILE, "SurveyService", "ListSurveys", service.ListSurveysRequest, service.ListSurveysResponse)
_ID_DIGITS: Final = 16

Subject = Annotated[SurveySubject.ValueType, SUBJECTS.option("--subject", help="What it counts. 普查对象")]


@app.command(name="import")
@asks(Office.ADMINISTRATOR)
async def import_(
    desk: Desk,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The census: CSV or XLSX. 普查文件")],
    subject: Subject,
    source: Annotated[str, typer.Option(help="Who counted, e.g. 莆田市公安局 2026 年泊位普查. 来源")],
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Change the register; otherwise it is only compared. 正式导入（否则仅试运行）"),
    ] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Apply the right rows though others are wrong. 跳过无效行")
    ] = False,
    division: Annotated[str, typer.Option(help="What it covers, for the list of what is missing. 覆盖区划")] = "",
    counted: Annotated[
        Timestamp | None, moments.option("--counted", help="When it was counted; unset: now. 普查时间")
    ] = None,
    survey_id: Annotated[
        str, typer.Option("--id", help="The survey's id; unset: made of the file, so that it is applied once. 普查标识")
    ] = "",
) -> int:
    """Compares a census with the register row by row: new, changed, missing, invalid. 导入普查

    Nothing is changed without --apply. Exit code 1 when a row is wrong.
    """
    content = file.read_bytes()
    request = service.ImportSurveyRequest(
        survey_id=survey_id or f"{SUBJECTS.word(subject)}-{hashlib.sha256(content).hexdigest()[:_ID_DIGITS]}",
        subject=subject,
        format=_format(file),
        content=content,
        source=source,
        dry_run=not apply,
        skip_invalid=skip_invalid,
        division_code=division,
        effective_time=counted,
    )
    survey = await desk.call(_IMPORT, request)
    desk.show(survey, *_report(survey))
    if survey.unknown_columns:
        screen.say(f"Ignored columns 未识别列: {', '.join(survey.unknown_columns)}")
    if survey.dry_run:
        screen.say("Nothing was changed: --apply does it. 试运行，未改动；加 --apply 正式导入")
    else:
        screen.say(f"Applied as survey {survey.survey_id}. 已导入，普查标识 {survey.survey_id}")
    return FAILED if survey.invalid_rows else 0


@app.command()
@asks(Office.ADMINISTRATOR)
async def show(
    desk: Desk,
    survey: Annotated[str, typer.Argument(help="The survey's id. 普查标识")],
    author: Annotated[str, typer.Option(help="Whose it is, unless it is your own. 报送方")] = "",
) -> None:
    """Shows the report of an applied survey again. 查询普查"""
    found = await desk.call(_GET, service.GetSurveyRequest(survey_id=survey, author=author))
    desk.show(found, forms.table([found], SURVEYS), *_report(found))


@app.command(name="list")
@asks(Office.ADMINISTRATOR)
async def list_(desk: Desk) -> None:
    """Lists the applied surveys. 普查列表"""
    desk.show_all(await desk.every(_LIST, service.ListSurveysRequest(), "surveys"), SURVEYS)


@app.command()
def template(subject: Subject) -> None:
    """Prints a CSV file with all columns and a row to go by; redirect it into a file. 普查模板"""
    typer.echo(sheet(subject), nl=False)


def _format(file: Path) -> SurveyFormat.ValueType:
    match file.suffix.lower():
        case ".csv" | ".txt" | ".tsv":
            return SurveyFormat.SURVEY_FORMAT_CSV
        case ".xlsx":
            return SurveyFormat.SURVEY_FORMAT_XLSX
        case _:
            raise MisuseError("the file must be named .csv or .xlsx 文件扩展名须为 .csv 或 .xlsx")


def _report(survey: Survey) -> Iterable[Table]:
    yield forms.table([survey], _COUNTS)
    if survey.details:
        yield forms.table(survey.details, _ROWS)


def _wrong(row: SurveyRow) -> str:
    if row.outcome != SURVEY_OUTCOME_INVALID:
        return ""
    return "\n".join(
        f"{each.column}: {each.description} {each.description_zh}".removeprefix(": ") for each in row.violations
    )
