"""Why a text or value is not a word of the field: the rule it breaks, and what would be right, in both languages."""

from enum import Enum


class Rule(Enum):
    """A rule that a word must keep; each vocabulary module lists its own.

    `id` is stable and goes into error replies, such as `credit_code.length`; `english` and `chinese` say what would be
    right, and may name facts that the refusal fills in.
    """

    def __init__(self, id: str, english: str, chinese: str) -> None:  # noqa: A002
        self.id = id
        self.english = english
        self.chinese = chinese


class Refusal(ValueError):  # noqa: N818
    """A word that breaks a rule. Its texts never hold the value that was given, so they may be shown and logged."""

    def __init__(self, rule: Rule, **facts: int) -> None:
        self.rule = rule
        self.facts = facts
        self.english = rule.english.format(**facts)
        self.chinese = rule.chinese.format(**facts)
        super().__init__(self.english)
