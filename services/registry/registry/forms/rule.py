"""Rules whose values change with the law: a value of the right sort, for a time."""

from collections.abc import Iterator
from typing import Final

from mesh.errors import FieldViolation
from parkmesh.registry.v1.rule_pb2 import (
    RULE_NAME_BERTH_CODE_PATTERN,
    RULE_NAME_LOT_SILENT_AFTER_HOURS,
    RULE_NAME_PICTURES_PER_RECORD,
    RULE_NAME_RECORD_DELAY_SECONDS,
    RULE_NAME_STATIC_CHANGE_REPORT_HOURS,
    Rule,
)
from vocabulary import refusal
from vocabulary.code_rule import CodeRule
from vocabulary.refusal import Refusal

from registry.forms import validity
from registry.forms.facts import Facts
from registry.forms.violation import broken, refused

NUMBERS: Final = frozenset(
    {
        RULE_NAME_STATIC_CHANGE_REPORT_HOURS,
        RULE_NAME_LOT_SILENT_AFTER_HOURS,
        RULE_NAME_RECORD_DELAY_SECONDS,
        RULE_NAME_PICTURES_PER_RECORD,
    }
)
"""Rules whose value is `number`."""
PATTERNS: Final = frozenset({RULE_NAME_BERTH_CODE_PATTERN})
"""Rules whose value is `text`, a pattern."""


class ValueRule(refusal.Rule):
    """What can be wrong with a rule's value, besides the form of a pattern."""

    NUMBER = ("rule.number_required", "must be at least 1: this rule is a number", "须至少为1：该规则的值为数字")
    NO_NUMBER = ("rule.number_unused", "must be left out: this rule is a text", "请不要填写：该规则的值为文本")
    TEXT = ("rule.text_required", "must be given: this rule is a text", "必须填写：该规则的值为文本")
    NO_TEXT = ("rule.text_unused", "must be left out: this rule is a number", "请不要填写：该规则的值为数字")


async def examine(rule: Rule, facts: Facts, path: str) -> list[FieldViolation]:
    """Changes nothing (R8.2, R10)."""
    value = _number(rule, path) if rule.name in NUMBERS else _pattern(rule, path)
    return [*value, *validity.examine(rule, path)]


def _number(rule: Rule, path: str) -> Iterator[FieldViolation]:
    if not rule.number:
        yield broken(f"{path}.number", ValueRule.NUMBER)
    if rule.text:
        yield broken(f"{path}.text", ValueRule.NO_TEXT)


def _pattern(rule: Rule, path: str) -> Iterator[FieldViolation]:
    if rule.number:
        yield broken(f"{path}.number", ValueRule.NO_NUMBER)
    if not rule.text:
        yield broken(f"{path}.text", ValueRule.TEXT)
        return
    try:
        CodeRule(rule.text)
    except Refusal as refusal:
        yield refused(f"{path}.text", refusal)
