"""What the register holds of the things that a census speaks of, read at once, as far as its sender may see it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mesh.caller import Caller
from parkmesh.registry.v1.gate_pb2 import SERVICE_STATE_RETIRED
from parkmesh.registry.v1.lot_pb2 import LOT_STATE_CLOSED, Lot
from parkmesh.registry.v1.rule_pb2 import Rule, RuleName
from vocabulary import credit_code
from vocabulary.refusal import Refusal

from registry.static.sight import lots_seen, operators_seen
from registry.storage.kinds import BERTH, LOT, OPERATOR, RULE, Kind, M
from registry.storage.reader import Held, Reader, in_force
from registry.storage.revisions import Revision
from registry.surveys.draft import Draft

_NUMBER: Final = "registrationNumber"


@dataclass(slots=True)
class Known:
    """The register as a census meets it. For the forms it is `Facts`."""

    kind: Kind[Any]
    now_ms: int
    position: tuple[str, int]
    """The epoch and the number of the last change: while they stay the same, so does all of this."""
    lots: dict[str, Held[Lot]] = field(default_factory=dict)
    """The lots that the census names and its sender sees, by registration number."""
    lot_numbers: dict[str, str] = field(default_factory=dict)
    """Their registration numbers, by id."""
    taken: dict[str, str] = field(default_factory=dict)
    """Unique values of the kind that the census states and something has, with its key, in sight or not."""
    objects: dict[str, Held[Any]] = field(default_factory=dict)
    """By key, the objects in sight that the census may be about, and those that it should name."""
    expected: list[Held[Any]] = field(default_factory=list)
    """Of these, what is in use and within what the census covers."""
    operators: dict[str, str] = field(default_factory=dict)
    """The ids of the operators in sight that the census names, by credit code."""
    operator_ids: set[str] = field(default_factory=set)
    """Theirs, and those of the lots in sight and of the sender itself."""
    histories: dict[str, list[Revision[Any]]] = field(default_factory=dict)
    """The changes of what was changed later than the census says it was counted, by key."""
    rules: Sequence[Rule] = ()

    async def held(self, kind: Kind[M], key: str) -> M | None:
        """See `Facts`: of operators, whether there are such; nothing else is asked for."""
        return kind.message() if kind.name == OPERATOR.name and key in self.operator_ids else None

    async def rule(self, name: RuleName.ValueType, at_ms: int) -> Rule | None:
        """See `Facts`."""
        return in_force([rule for rule in self.rules if rule.name == name], at_ms)

    def title(self, message: Any) -> str:
        """What a row about this object would be called."""
        if self.kind.name == LOT.name:
            return str(message.registration_number)
        number = self.lot_numbers.get(message.lot_id, "")
        return f"{number}/{self.kind.key(message).partition('/')[2]}"


async def known(
    facts: Reader,
    caller: Caller,
    kind: Kind[Any],
    drafts: Sequence[Draft],
    *,
    now_ms: int,
    effective_ms: int | None,
    division_code: str,
) -> Known:
    """Reads what a comparison with these drafts needs, in a handful of queries."""
    found = Known(kind, now_ms, await facts.position())
    found.rules = [held.message for held in await facts.many(RULE)]
    seen = await lots_seen(facts, caller, now_ms)
    if kind.name == LOT.name:
        await _lots(facts, found, caller, seen, drafts)
    else:
        await _parts(facts, found, seen, drafts)
    found.expected = [held for held in found.expected if _is_covered(found, held.message, division_code)]
    if effective_ms is not None:
        later = [key for key, held in found.objects.items() if effective_ms < held.last_effective_ms]
        found.histories = await facts.histories(kind, later)
    return found


async def _lots(
    facts: Reader, found: Known, caller: Caller, seen: Collection[str] | None, drafts: Sequence[Draft]
) -> None:
    found.taken = await facts.keys_named(LOT, "registration_number", _texts(drafts, _NUMBER))
    found.expected = await (facts.many(LOT) if seen is None else facts.some(LOT, seen))
    for held in found.expected:
        found.objects[held.message.lot_id] = held
        found.lots[held.message.registration_number] = held
    named = await facts.keys_named(OPERATOR, "credit_code", set(_codes(_texts(drafts, "operatorCreditCode"))))
    in_sight = await operators_seen(facts, caller, found.now_ms)
    found.operators = {code: key for code, key in named.items() if in_sight is None or key in in_sight}
    found.operator_ids = {*found.operators.values(), *(held.message.operator_id for held in found.expected)}
    found.operator_ids |= set(in_sight or ())


async def _parts(facts: Reader, found: Known, seen: Collection[str] | None, drafts: Sequence[Draft]) -> None:
    named = set((await facts.keys_named(LOT, "registration_number", _texts(drafts, _NUMBER))).values())
    if found.kind.name == BERTH.name:
        found.taken = await facts.keys_named(BERTH, "police_code", _texts(drafts, "policeCode"))
        named |= {key.partition("/")[0] for key in found.taken.values()}
    in_sight = named if seen is None else named.intersection(seen)
    for lot in await facts.some(LOT, in_sight):
        found.lots[lot.message.registration_number] = lot
        found.lot_numbers[lot.message.lot_id] = lot.message.registration_number
    found.expected = await facts.of_lots(found.kind, in_sight)
    found.objects = {found.kind.key(held.message): held for held in found.expected}


def _is_covered(found: Known, message: Any, division_code: str) -> bool:
    if found.kind.name == LOT.name:
        return message.state != LOT_STATE_CLOSED and division_code in ("", message.division_code)
    lot = found.lots[found.lot_numbers[message.lot_id]].message
    return message.state != SERVICE_STATE_RETIRED and division_code in ("", lot.division_code)


def _texts(drafts: Iterable[Draft], column: str) -> set[str]:
    return {text for draft in drafts if (text := draft.texts.get(column))}


def _codes(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            yield credit_code.parse(text).text
        except Refusal:
            continue
