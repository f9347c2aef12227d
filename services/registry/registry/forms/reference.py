"""References from one object to another, which must be registered."""

from mesh.errors import FieldViolation
from vocabulary import refusal

from registry.forms.facts import Facts
from registry.forms.violation import broken
from registry.storage.kinds import Kind, M


class ReferenceRule(refusal.Rule):
    """What can be wrong with a reference. None of them says whether the object exists elsewhere."""

    OPERATOR = ("operator.unknown", "must be the id of a registered operator", "须为已登记的经营管理者标识")
    LOT = ("lot.unknown", "must be the id of a registered lot", "须为已登记的停车场标识")
    GATE = (
        "gate.of_other_lot",
        "must be the number of a gate that is registered for this lot",
        "须为本停车场已登记的出入口编号",
    )
    BERTH = (
        "berth.of_other_lot",
        "must be the number of a berth that is registered for this lot",
        "须为本停车场已登记的泊位标识",
    )


async def examine(facts: Facts, kind: Kind[M], key: str, field: str, rule: ReferenceRule) -> list[FieldViolation]:
    """The violation of that rule at that field unless there is an object with this key."""
    return [] if await facts.held(kind, key) is not None else [broken(field, rule)]
