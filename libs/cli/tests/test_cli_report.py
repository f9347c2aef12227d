"""The daily report: the platform's answers become one page and one workbook that say the same, each with its source."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import grpc
import openpyxl
import pytest
from google.protobuf.message import Message
from parkmesh.access.v1 import coverage_service_pb2 as coverage
from parkmesh.access.v1 import reconciliation_service_pb2 as books
from parkmesh.access.v1 import statistics_service_pb2 as statistics
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason
from parkmesh.registry.v1 import change_service_pb2 as changes
from parkmesh.registry.v1 import lot_pb2, operator_pb2
from parkmesh.registry.v1 import registry_service_pb2 as registry
from parkmesh_cli.report.page import page
from parkmesh_cli.report.report import Chart, Figure, Report, Share, Source, Table
from parkmesh_sdk.testing import RefusedError

M = TypeVar("M", bound=Message)

DATE = "2100-01-31"
NIGHT = "2100-01-30T16:00:00Z"
NAMES = {"a": "文献路<停车场>", "b": "=HYPERLINK(1)", "c": "南门停车场"}


def timed(message: M, **fields: str) -> M:
    for name, value in fields.items():
        getattr(message, name).FromJsonString(value)
    return message


def source(name: str, lots: int = 2) -> statistics.StatisticsSource:
    return timed(
        statistics.StatisticsSource(query_name=name, lots=lots, rounded_to=1), as_of_time="2100-02-01T00:00:00Z"
    )


def flow(hour: int, direction: Any, kind: Any, records: int) -> statistics.Flow:
    made = statistics.Flow(direction=direction, vehicle_class=kind, records=records)
    return timed(made, start_time=f"2100-01-{30 + (hour + 16) // 24:02}T{(hour + 16) % 24:02}:00:00Z")


def lots(request: registry.ListLotsRequest) -> registry.ListLotsResponse:
    stated: list[tuple[str, str, str, Any]] = [
        ("a", "o-1", "350302", 2),
        ("b", "o-1", "350303", 2),
        ("c", "o-2", "350302", 2),
        ("d", "o-1", "350302", 4),
    ]
    return registry.ListLotsResponse(
        lots=[
            lot_pb2.Lot(
                lot_id=one, name=NAMES.get(one, one), operator_id=whose, division_code=code, state=state, open_berths=10
            )
            for one, whose, code, state in stated
        ]
    )


def heard(_: Any) -> coverage.ListLotCoverageResponse:
    states: dict[str, Any] = {"a": 4, "b": 3, "c": 1}
    answer = coverage.ListLotCoverageResponse(
        lots=[coverage.LotCoverage(lot_id=one, coverage_state=state) for one, state in states.items()]
    )
    answer.lots[1].last_accept_time.FromJsonString(NIGHT)
    return answer


@pytest.fixture
def answering(city: Any) -> Any:
    """What the platform says of every subject."""
    city.says("ListLots", lots)
    city.says(
        "ListOperators",
        registry.ListOperatorsResponse(operators=[operator_pb2.Operator(operator_id="o-1", name="莆田泊车")]),
    )
    city.says("ListLotCoverage", heard)
    late = changes.Change(name="lots/a/gates/1", lot_id="a", fields=["address"])
    late.lateness.late_seconds = 7200
    others = changes.Change(name="lots/c", lot_id="c")
    city.says(
        "ListChanges",
        changes.ListChangesResponse(changes=[timed(late, effective_time=NIGHT, report_time=NIGHT), others]),
    )
    told = [
        books.LotBooks(lot_id="a", state=books.BOOKS_STATE_AGREE),
        books.LotBooks(lot_id="b", state=books.BOOKS_STATE_DIFFER),
    ]
    city.says("ListBooks", books.ListBooksResponse(books=told))
    flows = [flow(8, 1, 1, 1200), flow(8, 1, 3, 5), flow(23, 2, 1, 900)]
    city.says("GetFlows", statistics.GetFlowsResponse(source=source("flows"), flows=flows))
    peak = timed(statistics.Peak(date=DATE, entries=1205, exits=0), start_time="2100-01-31T00:00:00Z")
    city.says("GetPeaks", statistics.GetPeaksResponse(source=source("peaks"), peaks=[peak]))
    turnover = statistics.Turnover(group_id="a", entries=1205, exits=900, open_berths=10, turnover_permille=90_000)
    city.says("GetTurnover", statistics.GetTurnoverResponse(source=source("turnover"), turnovers=[turnover]))
    stays = statistics.Durations(visits=900, p50_seconds=4_260, p90_seconds=9_000, p95_seconds=9_900)
    stays.buckets.add(from_minutes=30, to_minutes=60, visits=300)
    stays.buckets.add(from_minutes=60, to_minutes=120, visits=599)
    stays.buckets.add(from_minutes=1440, visits=1)
    city.says("GetDurations", statistics.GetDurationsResponse(source=source("durations"), durations=[stays]))
    live = statistics.Delay(group_id="a", records=2000, late=30, p50_ms=200, p95_ms=4000, longest_ms=9000)
    resent = statistics.Delay(group_id="a", resend=True, records=105, late=105)
    city.says(
        "GetDelays", statistics.GetDelaysResponse(source=source("delays"), delays=[live, resent], limit_seconds=5)
    )
    quality = statistics.Quality(group_id="a", records=2105, too_few_pictures=21, unread=7, corrections=3, voids=1)
    quality.rejections.add(reason=ErrorReason.ERROR_REASON_EVENT_IN_FUTURE, items=4)
    city.says(
        "GetQuality", statistics.GetQualityResponse(source=source("quality"), qualities=[quality], pictures_required=2)
    )
    city.says(
        "GetStatisticsQuery",
        lambda asked: statistics.StatisticsQuery(query_name=asked.query_name, sql=f"-- {asked.query_name} a < b"),
    )
    return city


class Read(HTMLParser):
    """What a page shows and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.cards: list[list[str]] = []
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self._within: str = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.links += [value for name, value in given.items() if name in ("href", "src", "srcset", "action", "data")]
        if "id" in given:
            self.ids.add(given["id"])
        if given.get("class") in ("card", "card bad"):
            self.cards.append([])
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if given.get("class") in ("label", "value"):
            self._within = "card"
            self.cards[-1].append("")
        elif tag in ("td", "th"):
            self._within = "cell"
            self.tables[-1][-1].append("")
        elif tag in ("sup", "span") or given.get("class") == "hint":
            self._within = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "div"):
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "card":
            self.cards[-1][-1] += data
        elif self._within == "cell":
            self.tables[-1][-1][-1] += data


async def made(city: Any, folder: Path, *arguments: str) -> dict[str, Path]:
    await city.done("report", "daily", "--date", DATE, "--out", str(folder), *arguments)
    return {path.name: path for path in folder.iterdir()}  # noqa: ASYNC240


async def test_one_page_and_one_workbook_for_every_operator_and_district(answering: Any, tmp_path: Path) -> None:
    files = await made(answering, tmp_path / "out")
    subjects = ("operator-o-1", "operator-o-2", "division-350302", "division-350303")
    assert set(files) == {f"{DATE}-{one}.{kind}" for one in subjects for kind in ("html", "xlsx")}
    assert set(await made(answering, tmp_path / "one", "--operator", "o-1")) == {
        f"{DATE}-operator-o-1.{kind}" for kind in ("html", "xlsx")
    }
    assert set(await made(answering, tmp_path / "city", "--division", "350300")) == {
        f"{DATE}-division-350300.{kind}" for kind in ("html", "xlsx")
    }


async def test_the_page_says_what_the_platform_said(answering: Any, tmp_path: Path) -> None:
    files = await made(answering, tmp_path / "out", "--operator", "o-1")
    html = files[f"{DATE}-operator-o-1.html"].read_text(encoding="utf-8")
    read = Read(html)
    assert "莆田泊车" in html
    assert dict(read.cards) == {
        "在册停车场": "2",
        "正常上报": "1",
        "未接入或从未上报": "0",
        "失联": "1",
        "入场": "1,205",
        "出场": "900",
        "高峰小时": "08:00 起",
        "停车时长中位数": "71",
        "实时上报超时": "1.5%",
        "补传记录": "105",
        "拒收": "4",
        "缺少图像": "1.0%",
        "号牌未识别": "0.3%",
        "纠正与作废": "4",
        "逾期静态变更": "1",
        "账目一致": "50.0%",
    }
    of_lots, classes, stays, delays, rejections, unheard, late = read.tables
    assert of_lots[1:] == [
        [NAMES["a"], "正常上报", "1,205", "900", "10", "90.00", "1.5%", "21", "7", "4", "3", "1", "一致"],
        [NAMES["b"], "失联", "0", "0", "10", "—", "—", "0", "0", "0", "0", "0", "不一致"],
    ]
    assert classes[1:] == [["小型车", "1,200", "900"], ["大型车", "5", "0"]]
    assert stays[1:] == [["30 分钟至 1 小时", "300"], ["1 小时至 2 小时", "599"], ["24 小时以上", "1"]]
    assert delays[1][:3] == ["实时", "2,000", "30"]
    assert rejections[1][0] == "EVENT_IN_FUTURE"
    assert unheard[1:] == [[NAMES["b"], "失联", "2100-01-31 00:00:00"]]
    assert late[1][0] == "lots/a/gates/1"


async def test_the_workbook_says_the_same(answering: Any, tmp_path: Path) -> None:
    files = await made(answering, tmp_path / "out", "--operator", "o-1")
    read = Read(files[f"{DATE}-operator-o-1.html"].read_text(encoding="utf-8"))
    book = openpyxl.load_workbook(files[f"{DATE}-operator-o-1.xlsx"])
    sheets = {
        sheet.title: [[cell for cell in row if cell.value is not None] for row in sheet.iter_rows()] for sheet in book
    }
    told = {label.value: shown(value) for label, value, *_ in sheets["概览"][1:17]}
    for label, value in read.cards:
        assert told.get(label, "—") == value, label
    for title, table in zip(("各停车场", "车辆类型", "停车时长", "上报时延", "拒收原因"), read.tables, strict=False):
        rows = [[shown(cell) for cell in row] for row in sheets[title][: len(table)]]
        assert rows == [[cell for cell in row if cell != "—"] for row in table], title
    assert [cell.data_type for cell in sheets["各停车场"][2][:1]] == ["s"]
    hourly = sheets["分时流量"]
    assert [cell.value for cell in hourly[9]] == ["08", 1205, 0]
    assert [cell.value for cell in hourly[24]] == ["23", 0, 900]
    assert [cell.value for cell in sheets["查询语句"][1]] == ["flows", "-- flows a < b"]


def shown(cell: Any) -> str:
    if cell.number_format == "0.0%":
        return f"{cell.value:.1%}"
    if cell.number_format == "0.00":
        return f"{cell.value:.2f}"
    return f"{cell.value:,}" if isinstance(cell.value, int) else str(cell.value)


async def test_the_page_needs_nothing_else(answering: Any, tmp_path: Path) -> None:
    for path in (await made(answering, tmp_path / "out")).values():
        if path.suffix == ".html":
            html = path.read_text(encoding="utf-8")
            read = Read(html)
            assert not read.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
            assert all(link.removeprefix("#") in read.ids for link in read.links)
            assert not re.search(r"https?://|url\(|@import", html)
            assert "default-src 'none'" in html


async def test_each_figure_leads_to_its_call_and_its_query(answering: Any, tmp_path: Path) -> None:
    files = await made(answering, tmp_path / "out", "--operator", "o-1")
    html = files[f"{DATE}-operator-o-1.html"].read_text(encoding="utf-8")
    (number,) = re.findall(r'入场<sup><a href="#s(\d+)">', html)
    (entry,) = re.findall(rf'<li id="s{number}">(.*?)</li>', html)
    assert (
        "GET /v1/statistics/flows?startDate=2100-01-31&amp;operatorId=o-1&amp;includeInactive=true"
        "&amp;step=STATISTICS_STEP_HOUR" in entry
    )
    assert "数据截至 2100-02-01 08:00:00" in entry
    assert "<pre>-- flows a &lt; b</pre>" in html
    cards = re.findall(r'<div class="label">(.*?)</div>', html)
    assert all("href=" in card for card in cards)


async def test_what_cannot_be_asked_is_absent_not_zero(answering: Any, tmp_path: Path) -> None:
    def refuse(_: Any) -> Any:
        raise RefusedError(grpc.StatusCode.UNIMPLEMENTED, "UNKNOWN_METHOD")

    answering.says("ListBooks", refuse)
    answering.says("ListChanges", refuse)
    empty = statistics.GetFlowsResponse(source=source("flows"))
    answering.says("GetFlows", empty)
    answering.says("GetPeaks", statistics.GetPeaksResponse(source=source("peaks")))
    answering.says("GetDelays", statistics.GetDelaysResponse(source=source("delays")))
    answering.says("GetDurations", statistics.GetDurationsResponse(source=source("durations")))
    files = await made(answering, tmp_path / "out", "--operator", "o-1")
    cards = dict(Read(files[f"{DATE}-operator-o-1.html"].read_text(encoding="utf-8")).cards)
    assert (cards["账目一致"], cards["逾期静态变更"], cards["高峰小时"], cards["实时上报超时"]) == ("—", "—", "—", "—")
    assert cards["入场"] == "0"


async def test_another_refusal_ends_it(answering: Any, tmp_path: Path) -> None:
    def refuse(_: Any) -> Any:
        raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")

    answering.says("ListBooks", refuse)
    result = await answering.run("report", "daily", "--date", DATE, "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--date", "2100-02-30"), ("--date", "today"), ("--date", DATE, "--operator", "a", "--division", "350302")],
)
async def test_what_makes_no_sense_is_refused(answering: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = await answering.run("report", "daily", "--out", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2


def test_nothing_on_the_page_is_markup() -> None:
    evil = '<script>alert(1)</script>&"'
    told = Report(
        subject=evil,
        key="operator-x",
        date=DATE,
        made=evil,
        figures=[Figure(evil, evil, evil, (1,), evil), Figure("share", Share(0, 0), "", (1,))],
        chart=Chart(evil, ["00"], [0], [0], (1,)),
        tables=[Table(evil, (evil,), [(evil,)], (1,)), Table("none", ("x",), [], (1,), evil)],
        sources=[Source(1, evil, "q", evil)],
        queries={"q": evil},
    )
    read = Read(page(told))
    assert "script" not in read.tags
    assert read.tables == [[[evil], [evil]]]
