"""Facts that are held in memory, for tests of what asks for them."""

from typing import Any, cast

from google.protobuf.message import Message
from mesh.testing import YEAR_2100_MS
from parkmesh.registry.v1.rule_pb2 import Rule, RuleName

from registry.storage.kinds import BY_MESSAGE, Kind, M
from registry.storage.reader import in_force


class HeldFacts:
    """Holds the objects that it is made with, and knows the rules among them; see `Facts`."""

    def __init__(self, *held: Message, now_ms: int = YEAR_2100_MS) -> None:
        self.now_ms = now_ms
        self._held: dict[tuple[str, str], Message] = {}
        for message in held:
            kind: Kind[Any] = BY_MESSAGE[type(message)]
            self._held[kind.name, kind.key(message)] = message

    async def held(self, kind: Kind[M], key: str) -> M | None:
        """See `Facts`."""
        return cast("M | None", self._held.get((kind.name, key)))

    async def rule(self, name: RuleName.ValueType, at_ms: int) -> Rule | None:
        """See `Facts`."""
        rules = [held for held in self._held.values() if isinstance(held, Rule) and held.name == name]
        return in_force(rules, at_ms)
