"""Which object a row is about."""

from typing import Final

from mesh import wording
from mesh.errors import FieldViolation
from vocabulary import refusal

from registry.storage.kinds import BERTH, LOT
from registry.surveys.draft import Draft, refuse, refuse_fields
from registry.surveys.known import Known
from registry.surveys.layout import Layout

REQUIRED: Final = "required"
"""The rule that what is missing breaks."""

_PART: Final = {"gate": "gateId", "berth": "berthId"}


class IdentityRule(refusal.Rule):
    """What can be wrong with how a row names its object."""

    LOT = (
        "lot.unknown",
        "must be the registration number of a registered lot that you may speak for",
        "须为已登记且有权填报的停车场的登记编号",
    )
    OTHER_LOT = (
        "berth.of_other_lot",
        "must be the code of a berth of the lot that the row names",
        "须为该行所填停车场的泊位编码",
    )


def identity(known: Known, layout: Layout, draft: Draft) -> tuple[str, str] | None:
    """What the row is about, as reports call it, and its key in the register, empty for a lot that is not there.

    None, and noted, when that cannot be told. Of gates and berths, puts the key into the message.
    """
    number = _text(draft, "registrationNumber")
    lot = known.lots.get(number) if number else None
    if known.kind.name == LOT.name:
        if not number:
            _miss(draft, layout, "lot.registrationNumber")
        return (number, lot.message.lot_id if lot else "") if number else None
    if number and lot is None:
        refuse(draft, layout, layout.column_of(f"{known.kind.name}.lotId"), IdentityRule.LOT)
        return None
    lot_id = lot.message.lot_id if lot else ""
    part_id = _text(draft, _PART[known.kind.name])
    if known.kind.name == BERTH.name and not part_id:
        coded = known.taken.get(_text(draft, "policeCode"), "")
        if coded in known.objects:
            if lot_id and not coded.startswith(f"{lot_id}/"):
                refuse(draft, layout, layout.column_of("berth.policeCode"), IdentityRule.OTHER_LOT)
                return None
            lot_id, _, part_id = coded.partition("/")
    if not lot_id:
        _miss(draft, layout, f"{known.kind.name}.lotId")
    if not part_id:
        _miss(draft, layout, f"{known.kind.name}.{_PART[known.kind.name]}")
    if not lot_id or not part_id:
        return None
    for field, value in zip(known.kind.ids, (lot_id, part_id), strict=True):
        setattr(draft.message, field, value)
    return known.title(draft.message), known.kind.key(draft.message)


def _miss(draft: Draft, layout: Layout, path: str) -> None:
    refuse_fields(draft, layout, [FieldViolation(path, REQUIRED, *wording.REQUIRED)])


def _text(draft: Draft, column: str) -> str:
    return "" if column in draft.at_fault else draft.texts.get(column, "")
