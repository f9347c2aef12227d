"""`parkmesh collect`: a named person uploads what was noted by hand (R6.3)."""

from pathlib import Path
from typing import Annotated, Final

import typer
from parkmesh.access.v1.access_record_service_pb2 import OUTCOME_ACCEPTED, OUTCOME_DUPLICATE, Outcome
from parkmesh.access.v1.record_pb2 import Direction, PlateState
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from parkmesh_sdk import BatchResult, Client, PlatformError
from rich.table import Table
from vocabulary import beijing, plate

from parkmesh_cli import session_file
from parkmesh_cli.collect import sheet
from parkmesh_cli.collect.entries import Entry, Problem, entries
from parkmesh_cli.errors import FAILED, CliError, explained, run
from parkmesh_cli.screen import bar, say, show, show_table
from parkmesh_cli.session_file import default_session
from parkmesh_cli.tally import Tally

_BATCH: Final = 500
_SHOWN: Final = 5
_PROBLEMS: Final = 50
_STORED: Final = (OUTCOME_ACCEPTED, OUTCOME_DUPLICATE)


def collect(
    file: Annotated[Path, typer.Argument(help="CSV, one line a vehicle. 采集文件")],
    lot: Annotated[str, typer.Option(help="The id of the lot, one of those assigned to you. 停车场标识")],
    check: Annotated[
        bool, typer.Option("--check", help="Show what would be uploaded, and what is wrong with it. 仅检查")
    ] = False,
    session: Annotated[
        Path | None, typer.Option(help="The file that `parkmesh login` wrote, unless it is the usual one. 会话文件")
    ] = None,
) -> None:
    """Uploads entries and exits that were noted by hand, for a lot without devices. 人工采集上报

    Columns: time 时间 (Beijing time), direction 方向, plate 号牌, plate colour 号牌颜色, vehicle class 车辆类型, gate
    出入口 and lane 车道, or on the street berth 泊位. UTF-8 or GB 18030. A plate left empty could not be read; 无牌车
    is a vehicle without one.

    Nothing is uploaded while a line is wrong. The same file makes the same records: upload it again in doubt, nothing
    is stored twice. Add what follows below. Exit code 0 only when every line is stored.
    """

    async def work() -> int:
        good, problems = entries(sheet.read(file), lot)
        if problems:
            _show_problems(problems)
            say("Nothing was uploaded: correct these and try again. 未上报任何数据，请改正后重试")
            return FAILED
        _preview(good)
        if check:
            say("Nothing was uploaded: this was a check. 仅检查，未上报")
            return 0
        kept = session_file.read(session or default_session())
        try:
            async with Client(kept.platform) as client:
                return await _upload(client, good)
        except PlatformError as error:
            if error.reason == "BAD_CREDENTIAL":
                raise CliError(
                    "the session has ended: `parkmesh login` opens a new one 会话已失效，请重新登录"
                ) from error
            raise

    run(work())


async def _upload(client: Client, good: list[Entry]) -> int:
    tally, results = Tally(), []
    with bar("uploading 上报", len(good)) as progress:
        async for result in client.upload_all([entry.record for entry in good], batch_size=_BATCH, concurrency=1):
            tally.add(result)
            results.append(result)
            progress.advance(result.size)
    _show_items(good, results)
    show(
        f"accepted 已接收 {tally.accepted}, duplicate 重复 {tally.duplicate}, conflicting 冲突 {tally.conflicting}, "
        f"rejected 拒绝 {tally.rejected}, deferred 暂缓 {tally.deferred}"
    )
    return 0 if tally.all_stored else FAILED


def _preview(good: list[Entry]) -> None:
    table = Table(title=f"{len(good)} lines 行")
    for title in ("line 行", "time 时间", "direction 方向", "plate 号牌", "at 位置"):
        table.add_column(title)
    for line, record in good[:_SHOWN]:
        unseen = PlateState.Name(record.plate_state).removeprefix("PLATE_STATE_").lower()
        table.add_row(
            str(line),
            f"{beijing.moment(record.event_time.ToMilliseconds()):%Y-%m-%d %H:%M:%S}",
            Direction.Name(record.direction).removeprefix("DIRECTION_").lower(),
            plate.mask(plate.normalise(record.plate_number)) if record.plate_number else unseen,
            record.berth_id or f"{record.gate_id} / {record.lane_id}",
        )
    if len(good) > _SHOWN:
        table.add_row("…")
    show_table(table)


def _show_problems(problems: list[Problem]) -> None:
    for line, column, english, chinese in problems[:_PROBLEMS]:
        show(f"line 第{line}行, {column.title}: {english} {chinese}")
    if len(problems) > _PROBLEMS:
        show(f"and {len(problems) - _PROBLEMS} more 另有{len(problems) - _PROBLEMS}处")


def _show_items(good: list[Entry], results: list[BatchResult]) -> None:
    for result in sorted(results, key=lambda each: each.index):
        start = result.index * _BATCH
        for item in result.items:
            line = good[start + item.index].line
            outcome = Outcome.Name(item.outcome).removeprefix("OUTCOME_")
            if item.outcome not in _STORED:
                reason = reasons.ErrorReason.Name(item.reason).removeprefix("ERROR_REASON_")
                field = item.field.partition(".")[2]
                show(f"line 第{line}行: {outcome} {reason} {field}: {item.message} {item.message_zh}")
            for warning in item.warnings:
                show(f"line 第{line}行: {outcome} {reasons.Warning.Name(warning).removeprefix('WARNING_')}")
        if result.error:
            first, last = good[start].line, good[start + result.size - 1].line
            why = explained(result.error)
            show(f"lines 第{first}–{last}行: not answered, upload the file again 未获应答，请重新上报: {why}")
