"""The register as the forms may ask it on somebody's behalf: what that caller may not see is not there."""

from collections.abc import Collection

from parkmesh.registry.v1.rule_pb2 import Rule, RuleName

from registry.static.sight import operators_seen
from registry.storage.kinds import OPERATOR, Kind, M
from registry.storage.writer import Writer


class InSight:
    """What the forms need (`forms.facts.Facts`). A reference to an operator out of sight reads as one to none."""

    def __init__(self, facts: Writer) -> None:
        self._facts = facts
        self._operators: Collection[str] | None = None
        self._looked = False

    @property
    def now_ms(self) -> int:
        """See `Facts`."""
        return self._facts.now_ms

    async def held(self, kind: Kind[M], key: str) -> M | None:
        """See `Facts`."""
        if kind.name == OPERATOR.name and not await self._sees_operator(key):
            return None
        return await self._facts.held(kind, key)

    async def rule(self, name: RuleName.ValueType, at_ms: int) -> Rule | None:
        """See `Facts`."""
        return await self._facts.rule(name, at_ms)

    async def _sees_operator(self, operator_id: str) -> bool:
        if not self._looked:
            self._operators = await operators_seen(self._facts, self._facts.by, self._facts.now_ms)
            self._looked = True
        return self._operators is None or operator_id in self._operators
