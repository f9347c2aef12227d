"""Which lots and days figures are of, by what is asked for and by whom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from directory import Directory, LotFacts
from mesh.caller import Caller, CallerKind
from mesh.errors import FieldViolation, MeshError
from parkmesh.access.v1 import statistics_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary import beijing

from access_records.coverage.coverage import part_of
from access_records.records.reading import lot_not_found

_MOST_DAYS: Final = 366
_AUTHORITY: Final = frozenset({CallerKind.SUPERVISOR, CallerKind.ADMINISTRATOR})

GROUPS: Final[dict[int, Callable[[LotFacts], str]]] = {
    messages.STATISTICS_GROUP_UNSPECIFIED: lambda _: "",
    messages.STATISTICS_GROUP_LOT: lambda lot: lot.lot_id,
    messages.STATISTICS_GROUP_DIVISION: lambda lot: lot.division_code,
    messages.STATISTICS_GROUP_OPERATOR: lambda lot: lot.operator_id,
}
"""What a lot's figures are counted under."""


class Days(NamedTuple):
    """Whole Beijing days, from `start_ms` on and before `end_ms`."""

    start_ms: int
    end_ms: int

    def starts(self) -> range:
        """The first instant of each."""
        return range(self.start_ms, self.end_ms, beijing.DAY_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lots; empty texts stand for all."""

    lot_id: str = ""
    operator_id: str = ""
    division_code: str = ""
    include_inactive: bool = False
    """For the authority: also lots that are not in service."""


def days(first: str, last: str) -> Days:
    """The days from the first to the last, named YYYY-MM-DD; one day when `last` is empty. INVALID_FIELD."""
    start_ms = _day(first, "startDate").start_ms
    end_ms = _day(last or first, "endDate").end_ms
    if not 0 < end_ms - start_ms <= _MOST_DAYS * beijing.DAY_MS:
        raise refused(
            "endDate",
            "statistics.days",
            f"must be the first day or up to {_MOST_DAYS - 1} days later",
            f"须为起始日期当日或其后 {_MOST_DAYS - 1} 日以内",
        )
    return Days(start_ms, end_ms)


def lots(directory: Directory, caller: Caller, wanted: Wanted, now_ms: int) -> list[LotFacts]:
    """The lots that the caller's figures are of, by id; LOT_NOT_FOUND when one is named that is not in sight.

    Only lots in service enter the figures of other departments, and those of the authority unless it asks for more or
    names the lot; operators and vendors see all their own, in whatever state.
    """
    if wanted.lot_id:
        lot = directory.lot(wanted.lot_id)
        if lot is None or not in_sight(directory, caller, lot, now_ms):
            raise lot_not_found()
        return [lot] if _fits(lot, wanted) else []
    only_active = caller.kind in _AUTHORITY and not wanted.include_inactive
    return sorted(
        (
            lot
            for lot in directory.lots()
            if _fits(lot, wanted) and (lot.active or not only_active) and in_sight(directory, caller, lot, now_ms)
        ),
        key=lambda lot: lot.lot_id,
    )


def in_sight(directory: Directory, caller: Caller, lot: LotFacts, now_ms: int) -> bool:
    """Whether the caller may see what of the lot holds no plate: whoever may see the lot; other departments when it is
    in service (R9.3); the platform's own analysts.
    """
    if caller.kind is CallerKind.DEPARTMENT:
        return lot.active
    if caller.kind is CallerKind.ANALYST:
        return True
    return directory.may_see(caller, lot.lot_id, now_ms)


def refused(field: str, rule: str, english: str, chinese: str) -> MeshError:
    """The refusal of a field."""
    violation = FieldViolation(field, rule, english, chinese)
    return MeshError(reasons.ERROR_REASON_INVALID_FIELD, "A field breaks a rule.", fields=[violation])


def _fits(lot: LotFacts, wanted: Wanted) -> bool:
    return lot.division_code.startswith(part_of(wanted.division_code)) and (
        not wanted.operator_id or lot.operator_id == wanted.operator_id
    )


def _day(date: str, field: str) -> beijing.Bounds:
    try:
        return beijing.day_bounds_of(date)
    except ValueError:
        raise refused(field, "statistics.date", "must be a date that exists", "须为存在的日期") from None
