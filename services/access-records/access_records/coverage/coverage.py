"""The use case: which lots report, which have fallen silent, and which nobody is connected to (R6.1, R6.3)."""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from directory import Directory, LotFacts
from mesh.caller import Caller
from parkmesh.access.v1 import coverage_service_pb2 as messages
from parkmesh.registry.v1 import lot_pb2, rule_pb2
from vocabulary import beijing

from access_records.coverage.hearing import Heard, Hearing
from access_records.coverage.speakers import Speakers

State: TypeAlias = messages.CoverageState.ValueType
Hours = Callable[[int], int]
"""After how many hours without a record a lot counts as silent, by what is in force at an instant."""

_OWING_NOTHING: Final = frozenset({lot_pb2.LOT_STATE_DRAFT, lot_pb2.LOT_STATE_CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lots to list."""

    states: Set[State] = frozenset()
    """All when empty."""
    division_code: str = ""
    """All when empty."""
    lot_state: lot_pb2.LotState.ValueType = lot_pb2.LOT_STATE_UNSPECIFIED
    """Unspecified: every state in which a lot is to report some day or other."""
    any_scope: bool = False
    """Also lots that the regulation does not apply to (R3)."""


class LotCoverage(NamedTuple):
    """A lot and what is heard of it."""

    lot: LotFacts
    state: State
    granted_vendors: int
    last_ms: int | None
    """When its last record was accepted; None when there is none."""


class Page(NamedTuple):
    """Some lots, by id."""

    lots: list[LotCoverage]
    more: bool
    """Whether more lots follow."""
    as_of_ms: int
    silent_after_hours: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lists lots for callers who may see them."""

    directory: Directory
    speakers: Speakers
    hearing: Hearing
    hours: Hours

    async def page(
        self, caller: Caller, wanted: Wanted, hours: int | None, after: str, limit: int, now_ms: int
    ) -> Page:
        """The first `limit` lots behind the id `after`; `hours` stands in for the threshold in force.

        DirectoryUnavailable, HistoryError and LogUnavailable when one of them does not answer.
        """
        self.directory.require_fresh(now_ms)
        heard = await self.hearing.heard(now_ms)
        silent_after_hours = self.hours(now_ms) if hours is None else hours
        ids = sorted(lot.lot_id for lot in self.directory.lots() if lot.lot_id > after and _fits(lot, wanted))
        seen = (lot_id for lot_id in ids if self.directory.may_see(caller, lot_id, now_ms))
        listed = self._listed(seen, heard, silent_after_hours * beijing.HOUR_MS, wanted.states, now_ms)
        lots = list(islice(listed, limit + 1))
        return Page(lots[:limit], len(lots) > limit, heard.as_of_ms, silent_after_hours)

    def _listed(
        self,
        ids: Iterator[str],
        heard: Heard,
        silent_after_ms: int,
        states: Set[State],
        now_ms: int,
    ) -> Iterator[LotCoverage]:
        for lot_id in ids:
            lot = self.directory.lot(lot_id)
            last_ms = heard.last_ms.get(lot_id)
            state = judged(self.speakers.anybody(lot_id, now_ms), last_ms, heard.as_of_ms, silent_after_ms)
            if lot is not None and (not states or state in states):
                yield LotCoverage(lot, state, self.speakers.vendors(lot_id, now_ms), last_ms)


def judged(connected: bool, last_ms: int | None, as_of_ms: int, silent_after_ms: int) -> State:
    """The state of a lot. Its silence ends at `as_of_ms` and not now: what is not in the history yet may end it."""
    if not connected:
        return messages.COVERAGE_STATE_NOT_CONNECTED
    if last_ms is None:
        return messages.COVERAGE_STATE_NEVER_REPORTED
    silent = as_of_ms - last_ms >= silent_after_ms
    return messages.COVERAGE_STATE_SILENT if silent else messages.COVERAGE_STATE_REPORTING


def hours_in_force(directory: Directory, default: int) -> Hours:
    """The threshold by the registry's rules; the default while none of them is in force."""

    def hours(now_ms: int) -> int:
        rule = directory.rule(rule_pb2.RULE_NAME_LOT_SILENT_AFTER_HOURS, now_ms)
        return default if rule is None else rule.number

    return hours


def _fits(lot: LotFacts, wanted: Wanted) -> bool:
    in_state = lot.state == wanted.lot_state if wanted.lot_state else lot.state not in _OWING_NOTHING
    in_division = lot.division_code.startswith(part_of(wanted.division_code))
    return in_state and in_division and (wanted.any_scope or lot.in_scope)


def part_of(division_code: str) -> str:
    """What the codes of a division and of its parts begin with: 350300 is the city with all its districts."""
    return division_code.removesuffix("00").removesuffix("00")
