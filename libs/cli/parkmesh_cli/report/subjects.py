"""Whom reports are for: every operator and every district that has lots, or the one that is asked for."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from parkmesh.registry.v1.lot_pb2 import LOT_STATE_CLOSED, LOT_STATE_DRAFT, Lot
from vocabulary import division


class Subject(NamedTuple):
    """An operator or a division, and its lots."""

    name: str
    operator_id: str
    division_code: str
    lots: Sequence[Lot]

    @property
    def key(self) -> str:
        """For file names."""
        return f"operator-{self.operator_id}" if self.operator_id else f"division-{self.division_code}"

    @property
    def scope(self) -> dict[str, Any]:
        """What statistics are asked for by."""
        whose = {"operator_id": self.operator_id} if self.operator_id else {"division_code": self.division_code}
        return whose | {"include_inactive": True}


def subjects(lots: Iterable[Lot], names: dict[str, str], *, operator_id: str, division_code: str) -> list[Subject]:
    """The one that is asked for, or all operators, then all divisions; drafts and closed lots are nobody's."""
    owing = [lot for lot in lots if lot.state not in (LOT_STATE_DRAFT, LOT_STATE_CLOSED)]
    made = []
    for one in _wanted(operator_id, division_code, {lot.operator_id for lot in owing if lot.operator_id}):
        mine = [lot for lot in owing if lot.operator_id == one]
        made.append(Subject(names.get(one) or one, one, "", mine))
    for one in _wanted(division_code, operator_id, {lot.division_code for lot in owing}):
        part = one.removesuffix("00").removesuffix("00")
        mine = [lot for lot in owing if lot.division_code.startswith(part)]
        made.append(Subject(division.name(one) or one, "", one, mine))
    return made


def _wanted(this: str, other: str, all_of_them: set[str]) -> list[str]:
    if this:
        return [this]
    return [] if other else sorted(all_of_them)
