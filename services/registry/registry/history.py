"""Facts as the history of changes keeps them: a kind, a key and a JSON text."""

import dataclasses
import json
from typing import Any, Final

from registry.domain import (
    Coordinate,
    CoordinateSystem,
    Credential,
    Fact,
    Gate,
    Grant,
    Lane,
    LaneDirection,
    Lot,
    LotState,
    LotType,
    Role,
    Vendor,
)

_KINDS: Final[dict[type[Fact], str]] = {
    Lot: "lot",
    Gate: "gate",
    Vendor: "vendor",
    Credential: "credential",
    Grant: "grant",
}


def identity(fact: Fact) -> tuple[str, str]:
    """Kind and key: two changes with the same identity are changes of one fact."""
    match fact:
        case Lot():
            key = fact.lot_id
        case Gate():
            key = f"{fact.lot_id}/{fact.gate_id}"
        case Vendor():
            key = fact.vendor_id
        case Credential():
            key = fact.client_id
        case Grant():
            key = f"{fact.vendor_id}/{fact.lot_id}"
    return _KINDS[type(fact)], key


def written(fact: Fact) -> str:
    """The fact as JSON, its field names as keys."""
    return json.dumps(dataclasses.asdict(fact), ensure_ascii=False, separators=(",", ":"))


def read(kind: str, text: str) -> Fact:
    """The fact that was written; ValueError when the kind is unknown."""
    fields: dict[str, Any] = json.loads(text)
    match kind:
        case "lot":
            at = fields["coordinate"]
            fields["type"] = LotType(fields["type"])
            fields["state"] = LotState(fields["state"])
            fields["coordinate"] = at and Coordinate(**(at | {"system": CoordinateSystem(at["system"])}))
            return Lot(**fields)
        case "gate":
            lanes = (Lane(lane["lane_id"], LaneDirection(lane["direction"])) for lane in fields["lanes"])
            return Gate(**(fields | {"lanes": tuple(lanes)}))
        case "vendor":
            return Vendor(**(fields | {"role": Role(fields["role"])}))
        case "credential":
            return Credential(**fields)
        case "grant":
            return Grant(**fields)
        case _:
            raise ValueError(f"the history holds an unknown kind of fact: {kind}")
