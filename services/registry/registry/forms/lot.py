"""Lots: facts that agree with each other, and what is noticed about them."""

from collections.abc import Iterator

from mesh.errors import FieldViolation
from parkmesh.registry.v1.lot_pb2 import (
    CHARGING_METHOD_FREE,
    LOT_FLAG_DECLARATION_BELOW_RULE,
    LOT_FLAG_FAR_OUTSIDE_DIVISION,
    LOT_FLAG_MORE_OPEN_THAN_BUILT,
    LOT_FLAG_NO_OPERATOR,
    LOT_STRUCTURE_ON_STREET,
    LOT_STRUCTURE_UNSPECIFIED,
    LOT_TYPE_ON_STREET,
    Lot,
    LotFlag,
)
from vocabulary import division, refusal

from registry.forms import berth_count, declaration, opening_hours, phone, position, reference
from registry.forms.facts import Facts
from registry.forms.reference import ReferenceRule
from registry.forms.violation import broken
from registry.storage.kinds import OPERATOR


class LotRule(refusal.Rule):
    """What can be wrong with a lot as a whole."""

    DIVISION = (
        "division.unknown",
        f"must be a division of GB/T 2260; in Putian one of {', '.join(division.NAMES)}",
        f"须为GB/T 2260行政区划代码；莆田为{'、'.join(division.NAMES)}之一",
    )
    STRUCTURE = (
        "lot.structure_on_street",
        "must be LOT_STRUCTURE_ON_STREET or left out for on-street berths",
        "道路停车泊位的结构形式须为 LOT_STRUCTURE_ON_STREET 或不填",
    )
    SCOPE = (
        "lot.in_scope_free",
        "must be false or left out for a lot that does not charge: the regulation applies to lots that charge (R3)",
        "免费停车场须为 false 或不填：细则适用于收费停车场",
    )


async def examine(lot: Lot, facts: Facts, path: str) -> list[FieldViolation]:
    """Puts phones, weekdays and the sum of open berths in, and sets position and flags (R3, R4, R5.1, A2, A4, A9, A11).

    An update that changes `berths` and does not state `open_berths` must come with the latter cleared: the sum of
    before is a contradiction here.
    """
    found = [
        *_whole(lot, path),
        *position.examine(lot, path),
        *berth_count.examine(lot, path),
        *opening_hours.examine(lot.opening_hours, f"{path}.openingHours"),
        *phone.examine(lot, "service_phone", path),
        *phone.examine(lot, "complaint_phone", path),
        *declaration.examine(lot.declarations, f"{path}.declarations"),
    ]
    if lot.operator_id:
        found += await reference.examine(facts, OPERATOR, lot.operator_id, f"{path}.operatorId", ReferenceRule.OPERATOR)
    set_flags(lot)
    return found


def set_flags(lot: Lot) -> None:
    """Puts in what is noticed about the lot; its position must stand already."""
    lot.ClearField("flags")
    lot.flags.extend(_flags(lot))


def _whole(lot: Lot, path: str) -> Iterator[FieldViolation]:
    if not _is_division(lot.division_code):
        yield broken(f"{path}.divisionCode", LotRule.DIVISION)
    if lot.type == LOT_TYPE_ON_STREET and lot.structure not in {LOT_STRUCTURE_UNSPECIFIED, LOT_STRUCTURE_ON_STREET}:
        yield broken(f"{path}.structure", LotRule.STRUCTURE)
    if lot.charging_method == CHARGING_METHOD_FREE and lot.HasField("in_scope") and lot.in_scope:
        yield broken(f"{path}.inScope", LotRule.SCOPE)


def _is_division(code: str) -> bool:
    """Of Putian, every division is known; elsewhere, the provinces are."""
    return division.is_code(code) and (not code.startswith(division.PUTIAN[:4]) or division.in_putian(code))


def _flags(lot: Lot) -> Iterator[LotFlag.ValueType]:
    point = lot.position.wgs84
    if lot.HasField("position") and division.contains(lot.division_code, point.latitude, point.longitude) is False:
        yield LOT_FLAG_FAR_OUTSIDE_DIVISION
    if berth_count.more_open_than_built(lot):
        yield LOT_FLAG_MORE_OPEN_THAN_BUILT
    if declaration.below_rule(lot.declarations):
        yield LOT_FLAG_DECLARATION_BELOW_RULE
    if not lot.operator_id:
        yield LOT_FLAG_NO_OPERATOR
