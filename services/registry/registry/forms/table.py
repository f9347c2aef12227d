"""Which form a kind of fact has."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mesh.errors import FieldViolation

from registry.forms import account, berth, device, gate, lot, operator, rule, vendor
from registry.forms.facts import Facts
from registry.storage.kinds import ACCOUNT, BERTH, DEVICE, GATE, LOT, OPERATOR, RULE, VENDOR, Kind, M

_FORMS: Final[Mapping[str, Callable[[Any, Facts, str], Awaitable[list[FieldViolation]]]]] = MappingProxyType(
    {
        OPERATOR.name: operator.examine,
        LOT.name: lot.examine,
        GATE.name: gate.examine,
        DEVICE.name: device.examine,
        BERTH.name: berth.examine,
        VENDOR.name: vendor.examine,
        ACCOUNT.name: account.examine,
        RULE.name: rule.examine,
    }
)


async def examine(kind: Kind[M], message: M, facts: Facts, path: str) -> list[FieldViolation]:
    """Every violation of the kind's rules, with fields named below `path`.

    The message has passed the proto's own rules. What is normalised or derived from its facts is put into it, also when
    other fields are at fault. LookupError for a kind that nobody files: credentials and grants.
    """
    return await _FORMS[kind.name](message, facts, path)
