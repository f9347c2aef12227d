"""What the forms need to know beyond the message itself."""

from typing import Protocol

from parkmesh.registry.v1.rule_pb2 import Rule, RuleName

from registry.storage.kinds import Kind, M


class Facts(Protocol):
    """The register, as one call sees it."""

    @property
    def now_ms(self) -> int:
        """The time that the call is judged at, in epoch milliseconds."""
        ...

    async def held(self, kind: Kind[M], key: str) -> M | None:
        """The object as it is now; None when there is none."""
        ...

    async def rule(self, name: RuleName.ValueType, at_ms: int) -> Rule | None:
        """The rule in force at that time; None when there is none."""
        ...
