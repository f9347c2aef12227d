"""Makes the daily report of one subject from the platform's answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.access.v1 import coverage_service_pb2 as coverage
from parkmesh.access.v1 import reconciliation_service_pb2 as books
from parkmesh.access.v1 import record_pb2
from parkmesh.access.v1 import statistics_service_pb2 as statistics
from parkmesh.errors.v1.chinese import CHINESE
from parkmesh.errors.v1.error_reason_pb2 import ErrorReason
from parkmesh.registry.v1 import change_service_pb2 as changes
from vocabulary import beijing

from parkmesh_cli.admin import moments
from parkmesh_cli.report import asking
from parkmesh_cli.report.asking import Asking, Sources
from parkmesh_cli.report.report import Chart, Figure, Ratio, Report, Share, Table, Value
from parkmesh_cli.report.subjects import Subject

_BY_LOT: Final = statistics.STATISTICS_GROUP_LOT
_HOUR: Final = 60
_ENTRY: Final = record_pb2.DIRECTION_ENTRY
HEARD: Final = {
    coverage.COVERAGE_STATE_NOT_CONNECTED: "未接入",
    coverage.COVERAGE_STATE_NEVER_REPORTED: "从未上报",
    coverage.COVERAGE_STATE_SILENT: "失联",
    coverage.COVERAGE_STATE_REPORTING: "正常上报",
}
AGREEMENT: Final = {
    books.BOOKS_STATE_NOT_COMPARED: "未对账",
    books.BOOKS_STATE_AGREE: "一致",
    books.BOOKS_STATE_DIFFER: "不一致",
    books.BOOKS_STATE_CLOSED: "已结账",
}
CLASSES: Final[Mapping[int, str]] = {
    record_pb2.VEHICLE_CLASS_SMALL: "小型车",
    record_pb2.VEHICLE_CLASS_MEDIUM: "中型车",
    record_pb2.VEHICLE_CLASS_LARGE: "大型车",
    record_pb2.VEHICLE_CLASS_MOTORCYCLE: "摩托车",
    record_pb2.VEHICLE_CLASS_NON_MOTOR: "非机动车",
    record_pb2.VEHICLE_CLASS_OTHER: "其他",
}


@dataclass(frozen=True)
class City:
    """What is asked for once and is of every lot in sight: by lot, and where it comes from. None: no such list."""

    date: str
    lots: Sources
    coverage: Mapping[str, coverage.LotCoverage] | None
    coverage_from: Sources
    late: list[changes.Change] | None
    late_from: Sources
    books: Mapping[str, books.LotBooks] | None
    books_from: Sources


async def city(asked: Asking, date: str, lots: Sources) -> City:
    """Coverage now, the day's late changes, and the day's books."""
    bounds = beijing.day_bounds_of(date)
    heard, coverage_from = await asked.every(
        asking.COVERAGE, coverage.ListLotCoverageRequest(include_out_of_scope=True), "lots"
    )
    late_request = changes.ListChangesRequest(
        late_only=True, reported_from=_time(bounds.start_ms), reported_before=_time(bounds.end_ms)
    )
    late, late_from = await asked.every(asking.CHANGES, late_request, "changes")
    told, books_from = await asked.every(asking.BOOKS, books.ListBooksRequest(date=date), "books")
    return City(date, lots, _by_lot(heard), coverage_from, late, late_from, _by_lot(told), books_from)


async def report(asked: Asking, subject: Subject, all_lots: City, queries: Mapping[str, str], made: str) -> Report:
    """The subject's report of the day."""
    scope = {"start_date": all_lots.date, **subject.scope}
    hourly = statistics.STATISTICS_STEP_HOUR
    flows, flows_from = await asked.one(asking.FLOWS, statistics.GetFlowsRequest(step=hourly, **scope))
    peaks, peaks_from = await asked.one(asking.PEAKS, statistics.GetPeaksRequest(**scope))
    turnover, turnover_from = await asked.one(asking.TURNOVER, statistics.GetTurnoverRequest(group_by=_BY_LOT, **scope))
    stays, stays_from = await asked.one(asking.DURATIONS, statistics.GetDurationsRequest(**scope))
    delays, delays_from = await asked.one(asking.DELAYS, statistics.GetDelaysRequest(**scope))
    by_lot, by_lot_from = await asked.one(asking.DELAYS, statistics.GetDelaysRequest(group_by=_BY_LOT, **scope))
    quality, quality_from = await asked.one(asking.QUALITY, statistics.GetQualityRequest(group_by=_BY_LOT, **scope))
    ids = {lot.lot_id for lot in subject.lots}
    late = None if all_lots.late is None else [one for one in all_lots.late if one.lot_id in ids]
    figures = [
        *_lots_known(subject, all_lots),
        *_movements(flows, flows_from, peaks, peaks_from),
        _stay_figure(stays, stays_from),
        *_delay_figures(delays, delays_from),
        *_quality_figures(quality, quality_from),
        Figure(
            "逾期静态变更",
            None if late is None else len(late),
            "项",
            all_lots.late_from,
            "当日报送、超过规定时限",
            bool(late),
        ),
        _books_figure(subject, all_lots),
    ]
    lot_sources = (*turnover_from, *by_lot_from, *quality_from, *all_lots.coverage_from, *all_lots.books_from)
    tables = [
        Table(
            "各停车场",
            (
                "停车场",
                "接入",
                "入场",
                "出场",
                "开放泊位",
                "周转率",
                "实时超时",
                "缺图",
                "未识别",
                "拒收",
                "纠正",
                "作废",
                "对账",
            ),
            _of_lots(subject, all_lots, turnover, by_lot, quality),
            lot_sources,
        ),
        Table("车辆类型", ("类型", "入场车次", "出场车次"), _of_classes(flows), flows_from, "当日无记录"),
        Table("停车时长", ("时长", "停车次数"), _of_stays(stays), stays_from, "当日无离场的完整停车记录"),
        Table(
            "上报时延",
            ("方式", "记录数", "超时", "时钟超前", "中位数（毫秒）", "95 分位（毫秒）", "最长（毫秒）"),
            [_of_delay(one) for one in delays.delays],
            delays_from,
            "当日无记录",
        ),
        Table("拒收原因", ("原因", "说明", "数量"), _of_rejections(quality), quality_from, "当日无拒收"),
        Table(
            "未正常上报的停车场",
            ("停车场", "接入", "最近接收时间"),
            _unheard(subject, all_lots),
            all_lots.coverage_from,
            "全部正常上报" if all_lots.coverage is not None else "无法查询",
        ),
        Table(
            "逾期报送的静态变更",
            ("对象", "变更字段", "实际生效", "报送", "逾期（小时）"),
            [_of_change(one) for one in late or ()],
            all_lots.late_from,
            "当日无逾期变更" if late is not None else "无法查询",
        ),
    ]
    chart = _chart(flows, flows_from)
    used = sorted({*chart.sources, *(n for t in tables for n in t.sources), *(n for f in figures for n in f.sources)})
    places = {number: place for place, number in enumerate(used, 1)}

    def placed(numbers: Sources) -> Sources:
        return tuple(places[number] for number in dict.fromkeys(numbers))

    return Report(
        subject=subject.name,
        key=subject.key,
        date=all_lots.date,
        made=made,
        figures=[figure._replace(sources=placed(figure.sources)) for figure in figures],
        chart=chart._replace(sources=placed(chart.sources)),
        tables=[table._replace(sources=placed(table.sources)) for table in tables],
        sources=[source._replace(number=places[source.number]) for source in asked.sources(used)],
        queries=queries,
    )


def _lots_known(subject: Subject, known: City) -> list[Figure]:
    counts: dict[int, int] = dict.fromkeys(HEARD, 0)
    for lot in subject.lots:
        heard = (known.coverage or {}).get(lot.lot_id)
        if heard:
            counts[heard.coverage_state] += 1
    told = known.coverage is not None

    def figure(label: str, states: Iterable[int], hint: str, *, bad: bool) -> Figure:
        count = sum(counts[state] for state in states)
        return Figure(label, count if told else None, "个", known.coverage_from, hint, bad and bool(count))

    unconnected = (coverage.COVERAGE_STATE_NOT_CONNECTED, coverage.COVERAGE_STATE_NEVER_REPORTED)
    return [
        Figure("在册停车场", len(subject.lots), "个", known.lots, "不含草稿与已关闭"),
        figure("正常上报", [coverage.COVERAGE_STATE_REPORTING], "制表时", bad=False),
        figure("未接入或从未上报", unconnected, "制表时", bad=True),
        figure("失联", [coverage.COVERAGE_STATE_SILENT], "制表时", bad=True),
    ]


def _movements(flows: Any, flows_from: Sources, peaks: Any, peaks_from: Sources) -> list[Figure]:
    entries = sum(flow.records for flow in flows.flows if flow.direction == _ENTRY)
    exits = sum(flow.records for flow in flows.flows if flow.direction != _ENTRY)
    peak = peaks.peaks[0] if peaks.peaks else None
    hour = f"{moments.text(peak.start_time)[11:16]} 起" if peak else None
    moved = f"进出 {peak.entries + peak.exits:,} 车次" if peak else ""
    return [
        Figure("入场", entries, "车次", flows_from),
        Figure("出场", exits, "车次", flows_from),
        Figure("高峰小时", hour, "", peaks_from, moved),
    ]


def _stay_figure(stays: Any, stays_from: Sources) -> Figure:
    told = stays.durations[0] if stays.durations else None
    if not told or not told.HasField("p50_seconds"):
        return Figure("停车时长中位数", None, "", stays_from, "当日离场")
    hint = f"当日离场 {told.visits:,} 次，九成不超过 {told.p90_seconds // 60:,} 分钟"
    return Figure("停车时长中位数", told.p50_seconds // 60, "分钟", stays_from, hint)


def _delay_figures(delays: Any, delays_from: Sources) -> list[Figure]:
    live = next((one for one in delays.delays if not one.resend), None)
    resent = next((one for one in delays.delays if one.resend), None)
    limit = f"不低于 {delays.limit_seconds} 秒" if delays.HasField("limit_seconds") else "无生效的时限规则"
    late = Share(live.late, live.records) if live and live.HasField("late") else None
    return [
        Figure("实时上报超时", late, "", delays_from, limit, bool(late and late.part)),
        Figure("补传记录", resent.records if resent else 0, "条", delays_from, "断网后补传，不计入实时"),
    ]


def _quality_figures(quality: Any, quality_from: Sources) -> list[Figure]:
    def total(field: str) -> int:
        return sum(getattr(one, field) for one in quality.qualities)

    refused = sum(one.items for each in quality.qualities for one in each.rejections)
    records = total("records")
    missing, field = "无图像", "without_pictures"
    if quality.HasField("pictures_required"):
        missing, field = f"少于 {quality.pictures_required} 张", "too_few_pictures"
    return [
        Figure("拒收", refused, "条", quality_from, "格式或内容不合规，未入库", bool(refused)),
        Figure("缺少图像", Share(total(field), records), "", quality_from, missing, bool(total(field))),
        Figure("号牌未识别", Share(total("unread"), records), "", quality_from, "不含无牌车"),
        Figure("纠正与作废", total("corrections") + total("voids"), "次", quality_from, "当日接收"),
    ]


def _books_figure(subject: Subject, known: City) -> Figure:
    if known.books is None:
        return Figure("账目一致", None, "", known.books_from, "对账服务未启用")
    states = [known.books[lot.lot_id] for lot in subject.lots if lot.lot_id in known.books]
    agree = sum(map(_agrees, states))
    share = Share(agree, len(subject.lots))
    return Figure(
        "账目一致", share, "", known.books_from, f"{agree} / {len(subject.lots)} 个停车场", agree < share.whole
    )


def _agrees(one: books.LotBooks) -> bool:
    closed = one.state == books.BOOKS_STATE_CLOSED and not (one.differences_accepted or one.adjusted)
    return closed or one.state == books.BOOKS_STATE_AGREE


def _of_lots(subject: Subject, known: City, turnover: Any, delays: Any, quality: Any) -> list[tuple[Value, ...]]:
    moved = {one.group_id: one for one in turnover.turnovers}
    live = {one.group_id: one for one in delays.delays if not one.resend}
    faults = {one.group_id: one for one in quality.qualities}
    rows: list[tuple[Value, ...]] = []
    for lot in sorted(subject.lots, key=lambda lot: lot.lot_id):
        key = lot.lot_id
        heard, book = (known.coverage or {}).get(key), (known.books or {}).get(key)
        went = moved.get(key, statistics.Turnover())
        fault = faults.get(key, statistics.Quality())
        late = live.get(key)
        rows.append(
            (
                lot.name,
                HEARD.get(heard.coverage_state) if heard else None,
                went.entries,
                went.exits,
                lot.open_berths,
                Ratio(went.turnover_permille) if went.HasField("turnover_permille") else None,
                Share(late.late, late.records) if late and late.HasField("late") else None,
                fault.too_few_pictures if quality.HasField("pictures_required") else fault.without_pictures,
                fault.unread,
                sum(one.items for one in fault.rejections),
                fault.corrections,
                fault.voids,
                AGREEMENT.get(book.state) if book else None,
            )
        )
    return rows


def _of_classes(flows: Any) -> list[tuple[Value, ...]]:
    counted: dict[int, list[int]] = {}
    for flow in flows.flows:
        counted.setdefault(flow.vehicle_class, [0, 0])[flow.direction != _ENTRY] += flow.records
    return [(CLASSES.get(kind, str(kind)), *counted[kind]) for kind in sorted(counted)]


def _of_stays(stays: Any) -> list[tuple[Value, ...]]:
    return [(_span(one), one.visits) for each in stays.durations for one in each.buckets]


def _span(one: statistics.DurationBucket) -> str:
    start = f"{one.from_minutes} 分钟" if one.from_minutes < _HOUR else f"{one.from_minutes // _HOUR} 小时"
    if not one.HasField("to_minutes"):
        return f"{start}以上"
    end = f"{one.to_minutes} 分钟" if one.to_minutes < _HOUR else f"{one.to_minutes // _HOUR} 小时"
    return f"{start}至 {end}"


def _of_delay(one: statistics.Delay) -> tuple[Value, ...]:
    return (
        "补传" if one.resend else "实时",
        one.records,
        one.late if one.HasField("late") else None,
        one.ahead,
        one.p50_ms if one.HasField("p50_ms") else None,
        one.p95_ms if one.HasField("p95_ms") else None,
        one.longest_ms if one.HasField("longest_ms") else None,
    )


def _of_rejections(quality: Any) -> list[tuple[Value, ...]]:
    counted: dict[int, int] = {}
    for each in quality.qualities:
        for one in each.rejections:
            counted[one.reason] = counted.get(one.reason, 0) + one.items
    ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return [(name := _reason(reason), CHINESE.get(f"ERROR_REASON_{name}", ""), items) for reason, items in ordered]


def _reason(number: int) -> str:
    known = ErrorReason.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix("ERROR_REASON_") if known else str(number)


def _unheard(subject: Subject, known: City) -> list[tuple[Value, ...]]:
    rows: list[tuple[Value, ...]] = []
    for lot in sorted(subject.lots, key=lambda lot: lot.lot_id):
        heard = (known.coverage or {}).get(lot.lot_id)
        if heard and heard.coverage_state != coverage.COVERAGE_STATE_REPORTING:
            last = moments.text(heard.last_accept_time) if heard.HasField("last_accept_time") else None
            rows.append((lot.name, HEARD.get(heard.coverage_state), last))
    return rows


def _of_change(one: changes.Change) -> tuple[Value, ...]:
    return (
        one.name,
        "、".join(one.fields),
        moments.shown(one, "effective_time"),
        moments.shown(one, "report_time"),
        one.lateness.late_seconds // 3600,
    )


def _chart(flows: Any, flows_from: Sources) -> Chart:
    counted = [[0] * 24, [0] * 24]
    for flow in flows.flows:
        hour = int(moments.text(flow.start_time)[11:13])
        counted[flow.direction != _ENTRY][hour] += flow.records
    return Chart("分时流量", [f"{hour:02}" for hour in range(24)], counted[0], counted[1], flows_from)


def _by_lot(listed: list[Any] | None) -> dict[str, Any] | None:
    return None if listed is None else {one.lot_id: one for one in listed}


def _time(ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(ms)
    return made
