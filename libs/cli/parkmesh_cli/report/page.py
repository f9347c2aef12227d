"""The report as one page of HTML that needs nothing else: read on a phone, printed on A4."""

import datetime
import importlib.resources
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from parkmesh_cli.report.report import Chart, Figure, Ratio, Report, Share, Source, Table, Value, text

_WIDTH: Final = 960
_HALF: Final = 92
_LEFT: Final = 44
_TICKS: Final = (1, 2, 3, 4, 6, 8)
_LONG: Final = 16
"""Texts longer than this are broken over lines."""
_WEEK: Final = "一二三四五六日"


def page(report: Report) -> str:
    """The whole page. It may load nothing, and its policy says so to the browser."""
    css = importlib.resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    body = "\n".join(_body(report))
    title = f"{report.subject} 停车数据日报 {report.date}"
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    yield (
        f'<header><p>停车数据日报</p><h1>{escape(report.subject)}</h1><p class="day">{_day(report.date)}</p></header>'
    )
    yield '<section class="first"><h2>概览</h2><div class="cards">'
    yield from map(_card, report.figures)
    yield "</div></section>"
    yield from _chart(report.chart)
    for table in report.tables:
        yield from _table(table)
    yield from _provenance(report)
    yield (
        f"<footer>制表时间 {escape(report.made)}（北京时间）。所有数字均由当前有效记录计算：纠正使其变动，"
        "作废使其减少；“—”表示未知，不等于零。</footer>"
    )


def _card(figure: Figure) -> str:
    unit = f'<span class="unit">{escape(figure.unit)}</span>' if figure.unit and figure.value is not None else ""
    return (
        f'<div class="card{" bad" if figure.bad else ""}"><div class="label">{escape(figure.label)}'
        f'{_references(figure.sources)}</div><div class="value">{escape(text(figure.value))}{unit}</div>'
        f'<div class="hint">{escape(figure.hint)}</div></div>'
    )


def _table(table: Table) -> Iterator[str]:
    yield f"<section><h2>{escape(table.title)}{_references(table.sources)}</h2>"
    if not table.rows:
        yield f'<p class="none">{escape(table.empty)}</p></section>'
        return
    kinds = [_kind([row[place] for row in table.rows]) for place in range(len(table.columns))]
    heads = (f"<th{kind}>{escape(column)}</th>" for column, kind in zip(table.columns, kinds, strict=True))
    yield f'<div class="wide"><table><thead><tr>{"".join(heads)}</tr></thead><tbody>'
    for row in table.rows:
        cells = (f"<td{kind}>{escape(text(value))}</td>" for value, kind in zip(row, kinds, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div></section>"


def _kind(values: Sequence[Value]) -> str:
    """How a column is set: numbers to the right, long texts over several lines."""
    if all(value is None or isinstance(value, int | Share | Ratio) for value in values):
        return ' class="number"'
    return ' class="long"' if any(len(text(value)) > _LONG for value in values) else ""


def _day(date: str) -> str:
    day = datetime.date.fromisoformat(date)
    return f"{day.year} 年 {day.month} 月 {day.day} 日　星期{_WEEK[day.weekday()]}"


def _chart(chart: Chart) -> Iterator[str]:
    most = max(*chart.entries, *chart.exits, 1)
    top = _rounded_up(most)
    step = (_WIDTH - _LEFT) / len(chart.hours)
    middle = _HALF + 14
    parts = []
    for share in (1, 0.5):
        for sign in (-1, 1):
            y = middle + sign * _HALF * share
            parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e6ecf1"/>')
            parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:,g}</text>')
    for place, (hour, entries, exits) in enumerate(zip(chart.hours, chart.entries, chart.exits, strict=True)):
        x = _LEFT + place * step + step * 0.16
        up, down = entries / top * _HALF, exits / top * _HALF
        wide = step * 0.68
        parts.append(
            f'<rect x="{x:.1f}" y="{middle - up:.1f}" width="{wide:.1f}" height="{up:.1f}" rx="2" fill="#12807a">'
            f"<title>{hour} 时 入场 {entries:,}</title></rect>"
        )
        parts.append(
            f'<rect x="{x:.1f}" y="{middle:.1f}" width="{wide:.1f}" height="{down:.1f}" rx="2" fill="#c9822b">'
            f"<title>{hour} 时 出场 {exits:,}</title></rect>"
        )
        if place % 2 == 0:
            parts.append(f'<text x="{x + wide / 2:.1f}" y="{middle + _HALF + 22}" text-anchor="middle">{hour}</text>')
    parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{middle}" y2="{middle}" stroke="#9fb0be"/>')
    yield f"<section><h2>{escape(chart.title)}{_references(chart.sources)}</h2>"
    yield '<div class="wide">'
    yield f'<svg viewBox="0 0 {_WIDTH} {2 * _HALF + 42}" role="img" aria-label="{escape(chart.title)}">'
    yield "".join(parts)
    yield "</svg></div>"
    yield (
        '<p class="legend"><span><i style="background:#12807a"></i>入场（向上）</span>'
        '<span><i style="background:#c9822b"></i>出场（向下）</span></p></section>'
    )


def _rounded_up(most: int) -> int:
    """The end of the scale: a round number, not below."""
    power = 1
    while True:
        for tick in _TICKS:
            if tick * power >= most:
                return tick * power
        power *= 10


def _provenance(report: Report) -> Iterator[str]:
    yield '<section id="sources"><h2>数据出处</h2><ol class="sources">'
    for source in report.sources:
        yield _source(source)
    yield "</ol>"
    for name in dict.fromkeys(source.query_name for source in report.sources if source.query_name):
        if name in report.queries:
            sql = escape(report.queries[name])
            yield f"<details><summary>查询语句 <code>{escape(name)}</code></summary><pre>{sql}</pre></details>"
    yield "</section>"


def _source(source: Source) -> str:
    query = f"，查询 <code>{escape(source.query_name)}</code>" if source.query_name else ""
    as_of = f'<span class="as-of">数据截至 {escape(source.as_of)}</span>' if source.as_of else ""
    return f'<li id="s{source.number}"><b>[{source.number}]</b><code>{escape(source.call)}</code>{query}{as_of}</li>'


def _references(numbers: Iterable[int]) -> str:
    return "".join(f'<sup><a href="#s{number}">[{number}]</a></sup>' for number in dict.fromkeys(numbers))
