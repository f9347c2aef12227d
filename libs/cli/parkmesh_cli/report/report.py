"""A report as plain values: figures, tables and a chart, each with the sources that it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Share(NamedTuple):
    """A part of a whole."""

    part: int
    whole: int

    def text(self) -> str:
        """In hundredths, with one decimal; a dash of nothing."""
        return f"{self.part / self.whole:.1%}" if self.whole else ABSENT


class Ratio(NamedTuple):
    """How often, in thousandths."""

    permille: int

    def text(self) -> str:
        """With two decimals."""
        return f"{self.permille / 1000:,.2f}"


ABSENT = "—"
"""What is shown where nothing is known: it is not zero."""

Value = int | str | Share | Ratio | None
"""A cell. None: not known."""


class Source(NamedTuple):
    """Where figures come from, so that they can be asked for again."""

    number: int
    call: str
    """The call with its parameters: `GET /v1/statistics/flows?startDate=…`."""
    query_name: str
    """The query behind it; empty when there is none of statistics."""
    as_of: str
    """Up to when it is complete, in Beijing time; empty when the answer does not say."""


class Figure(NamedTuple):
    """One figure."""

    label: str
    value: Value
    unit: str
    sources: tuple[int, ...]
    hint: str = ""
    """What it is, in a few words."""
    bad: bool = False
    """Whether somebody should look into it."""


class Table(NamedTuple):
    """A table of figures."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]
    sources: tuple[int, ...]
    empty: str = "无"
    """What is said when there are no rows."""


class Chart(NamedTuple):
    """Movements by hour."""

    title: str
    hours: Sequence[str]
    entries: Sequence[int]
    exits: Sequence[int]
    sources: tuple[int, ...]

    def as_table(self) -> Table:
        """The same in numbers."""
        rows = list(zip(self.hours, self.entries, self.exits, strict=True))
        return Table(self.title, ("时段", "入场车次", "出场车次"), rows, self.sources)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one operator or one division is told of a day."""

    subject: str
    """Whose it is, for people."""
    key: str
    """The same for file names: `operator-…` or `division-…`."""
    date: str
    made: str
    """When it was made, in Beijing time."""
    figures: Sequence[Figure]
    chart: Chart
    tables: Sequence[Table]
    sources: Sequence[Source]
    queries: Mapping[str, str] = field(default_factory=dict)
    """The SQL of the queries, by name."""


def text(value: Value) -> str:
    """A cell for people."""
    if value is None:
        return ABSENT
    if isinstance(value, Share | Ratio):
        return value.text()
    return f"{value:,}" if isinstance(value, int) else value
