"""Berths: the police's code by the rule in force, and other names, each for its time."""

from collections.abc import Iterator

from mesh.errors import FieldViolation
from parkmesh.registry.v1.berth_pb2 import Berth
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_BERTH_CODE_PATTERN
from vocabulary import refusal
from vocabulary.code_rule import CodeRule

from registry.forms import position, validity
from registry.forms.facts import Facts
from registry.forms.violation import broken


class BerthRule(refusal.Rule):
    """What can be wrong with a berth."""

    POLICE_CODE = (
        "berth.police_code",
        "must as a whole have the form {pattern}, by {basis}",
        "整个编码须符合格式 {pattern}，依据：{basis}",
    )
    ALIAS = (
        "alias.unique",
        "one alias of one type stands once at a time; let one end before the other starts",
        "同一类别的同一别名在同一时间只列一次，前者终止后后者方可生效",
    )


async def examine(berth: Berth, facts: Facts, path: str) -> list[FieldViolation]:
    """Sets the position; the police's code is kept as given and held against the rule in force now (R8.2)."""
    return [
        *await _police_code(berth, facts, path),
        *_aliases(berth, f"{path}.aliases"),
        *position.examine(berth, path),
    ]


async def _police_code(berth: Berth, facts: Facts, path: str) -> list[FieldViolation]:
    if not berth.police_code:
        return []
    rule = await facts.rule(RULE_NAME_BERTH_CODE_PATTERN, facts.now_ms)
    if rule is None or CodeRule(rule.text).matches(berth.police_code):
        return []
    return [broken(f"{path}.policeCode", BerthRule.POLICE_CODE, pattern=rule.text, basis=rule.basis)]


def _aliases(berth: Berth, path: str) -> Iterator[FieldViolation]:
    for at, alias in enumerate(berth.aliases):
        yield from validity.examine(alias, f"{path}[{at}]")
        valid = validity.of(alias)
        if any(
            (other.type, other.text) == (alias.type, alias.text) and validity.of(other).meets(valid)
            for other in berth.aliases[:at]
        ):
            yield broken(f"{path}[{at}].text", BerthRule.ALIAS)
