"""Who does something to the register, and how it was said to be true: what every change is signed with."""

from dataclasses import dataclass
from typing import Final, Self

from mesh.call import running_call
from mesh.caller import Caller, CallerKind
from parkmesh.registry.v1.role_pb2 import Role

REGISTRY = Caller(CallerKind.SERVICE, "registry")
"""The registry itself, for what it does at its start."""
_ROLES: Final = frozenset(Role.DESCRIPTOR.values_by_name)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done, by somebody, at a time."""

    action: str
    """The method: `RegistryService.UpdateLot`."""
    by: Caller
    at_ms: int
    """When it is reported."""
    effective_ms: int | None = None
    """When it became true; None when that was not said: with the report, and after all that was known before."""
    reason: str = ""
    change_set: str = ""
    """The survey that it comes with."""

    @classmethod
    def of(
        cls, by: Caller, at_ms: int, *, reason: str = "", effective_ms: int | None = None, change_set: str = ""
    ) -> Self:
        """The act of the call that is running; outside of one, it is the registry's own."""
        call = running_call.get()
        action = "registry" if call is None else ".".join(call.method.rpartition(".")[2].split("/"))
        return cls(action, by, at_ms, effective_ms, reason, change_set)


def role_named(kind: str) -> Role.ValueType:
    """The role of a kind of caller, as rows name it; unspecified for what is no role, such as a service."""
    role = f"ROLE_{kind}"
    return Role.Value(role) if role in _ROLES else Role.ROLE_UNSPECIFIED
