"""What reconciling many lots and days found and did, counted as it comes in."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from parkmesh.access.v1.reconciliation_service_pb2 import DifferenceKind
from parkmesh_sdk.reconciliation import DayBooks, Difference, Reconciliation
from rich.table import Table

_MOST_ROWS: Final = 50
_MOST_IDS: Final = 3


class Line(NamedTuple):
    """A lot on a day whose books differ, or did."""

    lot: str
    """The file's id."""
    name: str
    result: Reconciliation


@dataclass
class Summary:
    """The sum of many lots and days."""

    records: int = 0
    """By the vendor's books."""
    agree: int = 0
    """Lots on a day whose books agree now, all day."""
    differ: int = 0
    """Those that do not, or of which a part is not settled yet."""
    unsettled: int = 0
    """Of which a part is not settled yet."""
    closed: int = 0
    """Days closed with a report."""
    found: Counter[str] = field(default_factory=Counter)
    """Differing records, by kind."""
    repaired: int = 0
    """How many of them agree now."""
    calls: int = 0
    """Round trips."""
    seconds: float = 0.0
    """How long all of it took; set at the end."""
    lines: list[Line] = field(default_factory=list)
    """Where anything differed."""

    def count(self, day: DayBooks) -> None:
        """Counts a lot on a day whose books were found to agree."""
        self.records += day.vendor.count
        self.agree += 1

    def add(self, lot: str, name: str, result: Reconciliation) -> None:
        """Counts one lot on one day."""
        self.records += result.vendor.count
        good = result.equal and result.complete
        self.agree += good
        self.differ += not good
        self.unsettled += not result.complete
        self.closed += result.report is not None
        self.found.update(kind_of(difference) for difference in result.differences)
        self.repaired += len(result.differences) - len(result.left)
        self.calls += result.calls
        if result.differences or not good:
            self.lines.append(Line(lot, name, result))

    @property
    def all_agree(self) -> bool:
        """Whether every book agrees."""
        return not self.differ

    def as_json(self) -> dict[str, Any]:
        """One JSON object's content."""
        return {
            "agree": self.agree,
            "differ": self.differ,
            "unsettled": self.unsettled,
            "closed": self.closed,
            "records": self.records,
            "found": dict(self.found),
            "repaired": self.repaired,
            "left": self.found.total() - self.repaired,
            "calls": self.calls,
            "seconds": round(self.seconds, 3),
            "books": [_line(line) for line in sorted(self.lines, key=_place)],
        }

    def as_table(self) -> Table:
        """The sums for people."""
        table = Table(show_header=False)
        table.add_column()
        table.add_column(justify="right")
        rows = [
            ("books (lots × days) 账目（停车场×日）", self.agree + self.differ),
            ("agree 一致", self.agree),
            ("differ 不一致", self.differ),
            ("not settled yet 尚未稳定", self.unsettled),
            ("records 记录数", self.records),
            *((f"{kind} {_CHINESE.get(kind, '')}", count) for kind, count in sorted(self.found.items())),
            ("repaired 已修复", self.repaired),
            ("left 待处理", self.found.total() - self.repaired),
            ("days closed 已结账", self.closed),
            ("round trips 往返次数", self.calls),
        ]
        for name, count in rows:
            table.add_row(name, f"{count:,}")
        table.add_row("seconds 用时（秒）", f"{self.seconds:,.1f}")
        return table

    def as_list(self) -> Table:
        """Each book that differs, or did, for people."""
        table = Table(caption="…" if len(self.lines) > _MOST_ROWS else None)
        for title in ("lot 停车场", "name 名称", "day 日期", "", "found 差异", "repaired 已修复", "records 记录"):
            table.add_column(title, overflow="fold")
        for lot, name, result in sorted(self.lines, key=_place)[:_MOST_ROWS]:
            left = result.left or result.differences
            named = [f"{each.record_id} {kind_of(each)} {each.refused} {each.field}".rstrip() for each in left]
            table.add_row(
                lot,
                name,
                result.date,
                _state(result),
                f"{len(result.differences):,}",
                f"{len(result.differences) - len(result.left):,}",
                "\n".join([*named[:_MOST_IDS], *(["…"] if len(named) > _MOST_IDS else [])]),
            )
        return table


_CHINESE: Final = {
    "MISSING": "平台缺少",
    "EXTRA": "平台多出",
    "DIFFERENT": "内容不同",
    "VOIDED_HERE": "平台已作废",
    "REFUSED": "平台已拒收",
}


def kind_of(difference: Difference) -> str:
    """How a record differed: MISSING, EXTRA, …"""
    return DifferenceKind.Name(difference.kind).removeprefix("DIFFERENCE_KIND_")


def _place(line: Line) -> tuple[str, str]:
    return line.lot, line.result.date


def _state(result: Reconciliation) -> str:
    if not result.equal:
        return "differ 不一致"
    return "agree 一致" if result.complete else "not settled 尚未稳定"


def _line(line: Line) -> dict[str, Any]:
    return {
        "lot": line.lot,
        "lotId": line.result.lot_id,
        "date": line.result.date,
        "equal": line.result.equal,
        "complete": line.result.complete,
        "differences": [
            {
                "recordId": each.record_id,
                "kind": kind_of(each),
                "done": each.step.name,
                "repaired": each.repaired,
                "reason": each.refused,
                "field": each.field,
            }
            for each in line.result.differences
        ],
    }
