"""`parkmesh report`: what operators and districts are told of a day (R9.2, R9.3)."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from parkmesh.registry.v1 import registry_service_pb2 as registry
from vocabulary import beijing

from parkmesh_cli.admin.asking import asks, group
from parkmesh_cli.admin.desk import Desk
from parkmesh_cli.admin.office import Office
from parkmesh_cli.errors import MisuseError
from parkmesh_cli.report import asking, daily, workbook
from parkmesh_cli.report.page import page
from parkmesh_cli.report.subjects import subjects
from parkmesh_cli.screen import bar, show

app = group("Reports of what the platform knows, each figure with its query. 报表")

_QUERIES = ("flows", "peaks", "turnover", "durations", "delays", "quality")


@app.command(name="daily")
@asks(Office.ADMINISTRATOR)
async def daily_(
    desk: Desk,
    date: Annotated[str, typer.Option(help="The Beijing day, such as 2026-03-14. 日期（北京时间）")],
    out: Annotated[Path, typer.Option(help="The folder for the files; made when it is not there. 输出目录")],
    operator: Annotated[str, typer.Option(help="Only this operator's report. 经营管理者标识")] = "",
    division: Annotated[str, typer.Option(help="Only this division's report. 行政区划代码")] = "",
) -> None:
    """Writes a page and a workbook for every operator and every district. 日报

    As the person of an operator, with --as session, one gets one's own. Prints the files that it wrote.
    """
    if operator and division:
        raise MisuseError("--operator and --division are two reports: name one 请只指定其一")
    try:
        beijing.day_bounds_of(date)
    except ValueError as error:
        raise MisuseError("--date must be a day such as 2026-03-14 日期须形如 2026-03-14") from error
    asked = asking.Asking(desk)
    lots, lots_from = await asked.every(asking.LOTS, registry.ListLotsRequest(), "lots")
    operators, _ = await asked.every(asking.OPERATORS, registry.ListOperatorsRequest(), "operators")
    names = {one.operator_id: one.name for one in operators or ()}
    known = await daily.city(asked, date, lots_from)
    queries = {name: await asked.sql(name) for name in _QUERIES}
    wanted = subjects(lots or (), names, operator_id=operator, division_code=division)
    await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
    with bar("Reports 日报", len(wanted)) as progress:
        for subject in wanted:
            made = beijing.text(time.time_ns() // 1_000_000)[:16].replace("T", " ")
            told = await daily.report(asked, subject, known, queries, made)
            path = out / f"{date}-{subject.key}"
            await asyncio.to_thread(path.with_suffix(".html").write_text, page(told), encoding="utf-8")
            await asyncio.to_thread(workbook.write, told, path.with_suffix(".xlsx"))
            show(path.with_suffix(".html"))
            show(path.with_suffix(".xlsx"))
            progress.advance()
