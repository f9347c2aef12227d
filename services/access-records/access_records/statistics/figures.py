"""The use cases of statistics: each asks one query of the history and words its rows."""

from collections import UserString, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from directory import Directory, LotFacts
from google.protobuf.message import Message
from history.client import HistoryClient, Row
from mesh.caller import Caller, CallerKind
from mesh.instants import time_of
from parkmesh.access.v1 import statistics_service_pb2 as messages
from parkmesh.registry.v1 import rule_pb2
from vocabulary import beijing

from access_records.progress import Progress
from access_records.queries import query
from access_records.statistics import scope
from access_records.statistics.scope import GROUPS, Days, Wanted
from access_records.turns import Turns

MOST_ROWS: Final = 20_000
"""More figures than that are refused: no answer grows beyond what a call may carry."""
_MANY: Final = 4
"""Percentiles of fewer records than so many times the rounding are not told where counts are rounded."""
_PERCENT: Final = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}
_NO_LIMIT: Final = -1
_NOTHING: Final = "-"
"""Stands for an empty group in the list that is handed to ClickHouse, where blanks separate."""
STEPS: Final[Mapping[int, int]] = {
    messages.STATISTICS_STEP_UNSPECIFIED: beijing.DAY_MS,
    messages.STATISTICS_STEP_HOUR: beijing.HOUR_MS,
    messages.STATISTICS_STEP_DAY: beijing.DAY_MS,
}

EDGES_MINUTES: Final = (0, 15, 30, 60, 120, 240, 480, 720, 1440)
"""Where the lengths of visits are parted; the last has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all statistics are asked for by."""

    days: Days
    wanted: Wanted
    group: messages.StatisticsGroup.ValueType


class Answered(NamedTuple):
    """The rows of a query, and what they are of."""

    rows: list[Row]
    source: messages.StatisticsSource
    lots: Sequence[LotFacts]

    def count(self, records: int) -> int:
        """A count as the caller may be told it."""
        to = self.source.rounded_to
        return (records + to // 2) // to * to

    @property
    def exact(self) -> bool:
        """Whether the caller is told counts as they are, and single values such as the longest."""
        return self.source.rounded_to == 1

    def percentiles(self, made: Message, fields: Sequence[str], values: Iterable[int], records: int) -> None:
        """Sets those of the percentiles of so many records that may be told: a percentile is one record's value, so it
        must be of many, and lie below as many as a told count is of; or it would be the longest itself.
        """
        to = self.source.rounded_to
        for field, value in zip(fields, values, strict=True):
            above = records - records * _PERCENT[field[:3]] // 100
            if self.exact or (records >= _MANY * to and above > to):
                setattr(made, field, value)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures for callers, each of the lots in their sight. HistoryError and LogUnavailable when either is away."""

    directory: Directory
    history: HistoryClient
    progress: Progress
    rounding: int
    """Other departments are told counts to the nearest multiple of this: no count tells of fewer, nor the difference of
    two counts. What rounds to nothing is left out, as what is not there."""
    turns: Turns

    async def flows(
        self, caller: Caller, question: Question, step: messages.StatisticsStep.ValueType, now_ms: int
    ) -> messages.GetFlowsResponse:
        """How many entered and left, by window."""
        asked = await self._ask("flows", caller, question, now_ms, {"step_ms": STEPS[step]})
        flows = [
            messages.Flow(
                group_id=_group(group),
                start_time=time_of(start_ms),
                direction=direction,
                vehicle_class=vehicle_class,
                records=asked.count(records),
            )
            for group, start_ms, direction, vehicle_class, records in asked.rows
            if asked.count(records)
        ]
        return messages.GetFlowsResponse(source=asked.source, flows=flows)

    async def peaks(self, caller: Caller, question: Question, now_ms: int) -> messages.GetPeaksResponse:
        """The busiest hour of each day."""
        asked = await self._ask("peaks", caller, question, now_ms)
        peaks = [
            messages.Peak(
                group_id=_group(group),
                date=beijing.day_key(day_ms),
                start_time=time_of(hour_ms),
                entries=asked.count(entries),
                exits=asked.count(exits),
            )
            for group, day_ms, _, hour_ms, entries, exits in asked.rows
            if asked.count(entries) or asked.count(exits)
        ]
        return messages.GetPeaksResponse(source=asked.source, peaks=peaks)

    async def turnover(self, caller: Caller, question: Question, now_ms: int) -> messages.GetTurnoverResponse:
        """Exits per open berth and day, and for how much of the day the berths were taken."""
        asked = await self._ask("turnover", caller, question, now_ms)
        parked = {}
        if asked.exact:
            stood = await self._ask("utilisation", caller, question, now_ms)
            parked = {(group, day_ms): parked_ms for group, day_ms, parked_ms in stood.rows}
        berths: dict[str, int] = defaultdict(int)
        for lot in asked.lots:
            berths[GROUPS[question.group](lot)] += lot.open_berths
        turnovers = []
        for group, day_ms, entries, exits in asked.rows:
            made = messages.Turnover(
                group_id=_group(group),
                date=beijing.day_key(day_ms),
                entries=asked.count(entries),
                exits=asked.count(exits),
                open_berths=berths[_group(group)],
            )
            if made.open_berths:
                made.turnover_permille = round(made.exits * 1000 / made.open_berths)
                if asked.exact:
                    whole_ms = made.open_berths * beijing.DAY_MS
                    made.utilisation_permille = round(parked.get((group, day_ms), 0) * 1000 / whole_ms)
            if made.entries or made.exits:
                turnovers.append(made)
        return messages.GetTurnoverResponse(source=asked.source, turnovers=turnovers)

    async def durations(self, caller: Caller, question: Question, now_ms: int) -> messages.GetDurationsResponse:
        """How long those stayed who left."""
        least = [minutes * beijing.MINUTE_MS for minutes in EDGES_MINUTES]
        asked = await self._ask(
            "durations", caller, question, now_ms, {"least": least, "most": [*least[1:], _NO_LIMIT]}
        )
        durations = []
        for group, visits, buckets, percentiles, longest in asked.rows:
            made = messages.Durations(group_id=_group(group), visits=asked.count(visits))
            for minutes, end, count in zip(EDGES_MINUTES, (*EDGES_MINUTES[1:], None), buckets, strict=True):
                made.buckets.add(from_minutes=minutes, to_minutes=end, visits=asked.count(count))
            seconds = (ms // 1000 for ms in percentiles)
            asked.percentiles(made, ("p50_seconds", "p90_seconds", "p95_seconds"), seconds, visits)
            if asked.exact:
                made.longest_seconds = longest // 1000
            if made.visits:
                durations.append(made)
        return messages.GetDurationsResponse(source=asked.source, durations=durations)

    async def delays(self, caller: Caller, question: Question, now_ms: int) -> messages.GetDelaysResponse:
        """How long records took to arrive."""
        limits = [self._limit_ms(day_ms) for day_ms in question.days.starts()]
        asked = await self._ask("delays", caller, question, now_ms, {"limits": limits})
        delays = []
        for group, resend, records, late, ahead, percentiles, longest in asked.rows:
            made = messages.Delay(
                group_id=_group(group), resend=resend, records=asked.count(records), ahead=asked.count(ahead)
            )
            if any(limit != _NO_LIMIT for limit in limits):
                made.late = asked.count(late)
            asked.percentiles(made, ("p50_ms", "p90_ms", "p95_ms", "p99_ms"), percentiles, records)
            if asked.exact:
                made.longest_ms = longest
            if made.records:
                delays.append(made)
        answer = messages.GetDelaysResponse(source=asked.source, delays=delays)
        if limits[-1] != _NO_LIMIT:
            answer.limit_seconds = limits[-1] // 1000
        return answer

    async def quality(self, caller: Caller, question: Question, now_ms: int) -> messages.GetQualityResponse:
        """What is wrong with the records."""
        last_ms = question.days.end_ms - beijing.DAY_MS
        rule = self.directory.rule(rule_pb2.RULE_NAME_PICTURES_PER_RECORD, last_ms)
        asked = await self._ask("quality", caller, question, now_ms, {"pictures": rule.number if rule else 0})
        by_group: dict[str, messages.Quality] = {}
        told: set[str] = set()
        for group, figure, reason, items in asked.rows:
            made = by_group.setdefault(group, messages.Quality(group_id=_group(group)))
            if asked.count(items):
                told.add(group)
            elif figure == "rejections":
                continue
            if figure == "rejections":
                made.rejections.add(reason=reason, items=asked.count(items))
            elif rule or figure != "too_few_pictures":
                setattr(made, figure, asked.count(items))
        qualities = [made for group, made in by_group.items() if group in told]
        answer = messages.GetQualityResponse(source=asked.source, qualities=qualities)
        if rule:
            answer.pictures_required = rule.number
        return answer

    def _limit_ms(self, day_ms: int) -> int:
        rule = self.directory.rule(rule_pb2.RULE_NAME_RECORD_DELAY_SECONDS, day_ms)
        return rule.number * 1000 if rule else _NO_LIMIT

    async def _ask(
        self, name: str, caller: Caller, question: Question, now_ms: int, more: Mapping[str, Any] | None = None
    ) -> Answered:
        self.directory.require_fresh(now_ms)
        lots = scope.lots(self.directory, caller, question.wanted, now_ms)
        # Asked first: what comes in between is then in the figures though not promised, never the other way round.
        source = messages.StatisticsSource(
            query_name=name,
            as_of_time=time_of(await self.progress.all_complete_until_ms(now_ms)),
            lots=len(lots),
            rounded_to=self.rounding if caller.kind is CallerKind.DEPARTMENT else 1,
        )
        if not lots:
            return Answered([], source, lots)
        group = GROUPS[question.group]
        parameters = {
            "lots": _listed(lot.lot_id for lot in lots),
            "groups": _listed(group(lot) or _NOTHING for lot in lots),
            "start": question.days.start_ms,
            "end": question.days.end_ms,
            "limit": MOST_ROWS + 1,
        }
        async with self.turns.turn(caller):
            rows = await self.history.rows(query(name), parameters | dict(more or {}))
        if len(rows) > MOST_ROWS:
            raise scope.refused(
                "endDate",
                "statistics.rows",
                f"asks for more than {MOST_ROWS} figures: ask for fewer days, longer windows or larger groups",
                f"统计结果超过 {MOST_ROWS} 条：请减少天数、加长时段或扩大分组",
            )
        return Answered(rows, source, lots)


def _group(told: str) -> str:
    return "" if told == _NOTHING else told


def _listed(ids: Iterable[str]) -> UserString:
    # No id holds what must be escaped, and a UserString is not: the driver looks at a str character by character.
    return UserString(" ".join(ids))
