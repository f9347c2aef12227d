r"""The settable form of the police's berth code (R8.2): a pattern in a small, safe part of regular expressions.

    pattern     = "^" sequence "$"
    sequence    = 1*( atom [ quantifier ] )
    atom        = literal / "\d" / "\" punctuation / class / group     ; \d is 0 to 9
    class       = "[" 1*( member / member "-" member ) "]"             ; letters and digits; the rest is escaped
    group       = ( "(" / "(?:" ) sequence *( "|" sequence ) ")"
    quantifier  = "?" / "{n}" / "{n,m}"

Everything else is refused: `.`, `*`, `+`, open bounds, negated classes, look-around, back references, flags, and a
choice of counts inside a repeated group, which makes common engines explode. Matching here keeps the set of places
reached instead of trying one way after another, so that no pattern takes long. A code is only compared with the form,
never read for meaning.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from string import punctuation
from typing import Final

from vocabulary.refusal import Refusal, Rule

MAX_PATTERN: Final = 200
"""How long a pattern is at most, in characters."""

MAX_CODE: Final = 64
"""How long a code is at most, in characters; a pattern that allows more is refused."""

MAX_DEPTH: Final = 8
"""How many groups may stand inside each other."""


class PatternRule(Rule):
    """What can be wrong with a pattern."""

    LENGTH = ("code_rule.length", "a pattern has 3 to 200 characters", "规则长度为3至200个字符")
    ANCHORS = (
        "code_rule.anchors",
        "a pattern begins with ^ and ends with $, so that it holds for the whole code",
        "规则须以^开头、以$结尾，匹配整个编码",
    )
    SYNTAX = (
        "code_rule.syntax",
        "position {position}: only literals, \\d, classes such as [A-Z0-9], groups and ?, {{n}}, {{n,m}} are allowed,"
        " with groups in groups 8 deep at most",
        "第{position}个字符：仅可使用字面字符、\\d、[A-Z0-9]类、分组（至多8层）以及?、{{n}}、{{n,m}}",
    )
    CLASS = (
        "code_rule.class",
        "position {position}: a class lists characters and ascending ranges; punctuation in it is escaped",
        "第{position}个字符：字符类列出字符和升序区间，其中标点须转义",
    )
    BOUNDS = (
        "code_rule.bounds",
        "position {position}: a quantifier is ?, {{n}} or {{n,m}} with n ≤ m and m from 1 to 64",
        "第{position}个字符：量词为?、{{n}}或{{n,m}}，n≤m，m为1至64",
    )
    NESTING = (
        "code_rule.nesting",
        "position {position}: inside a repeated group a count is fixed, {{n}}",
        "第{position}个字符：重复的分组内只可使用固定次数{{n}}",
    )
    CODE = ("code_rule.code", "a pattern allows codes of 64 characters at most", "规则允许的编码不超过64个字符")


@dataclass(frozen=True, slots=True)
class CodeRule:
    """A pattern that codes must have; raises `Refusal` with a `PatternRule` when it is none."""

    pattern: str
    _form: "_Form" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 3 <= len(self.pattern) <= MAX_PATTERN:
            raise Refusal(PatternRule.LENGTH)
        if not (self.pattern.startswith("^") and self.pattern.endswith("$")):
            raise Refusal(PatternRule.ANCHORS)
        object.__setattr__(self, "_form", _Reader(self.pattern).whole())

    def matches(self, code: str) -> bool:
        """Whether the whole code, taken as it is, has this form."""
        return len(code) <= self._form.longest and len(code) in self._form.step(code, frozenset({0}))


_SPECIAL: Final = frozenset("^$.|?*+()[]{}\\")
_BOUNDS: Final = re.compile(r"\{([0-9]{1,2})(?:,([0-9]{1,2}))?\}")

_Places = frozenset[int]
_Step = Callable[[str, _Places], _Places]


@dataclass(frozen=True, slots=True)
class _Form:
    """A part of a pattern."""

    step: _Step
    """To which places in a code it leads from some places."""
    longest: int
    varies: bool = False
    """Whether a choice of counts is in it."""


class _Reader:
    """Reads a pattern from left to right; each method begins at its first character and ends behind its last."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 1
        self._depth = 0

    def whole(self) -> _Form:
        form = self._sequence()
        if self._at != len(self._pattern) - 1:
            raise self._wrong(PatternRule.SYNTAX)
        if form.longest > MAX_CODE:
            raise Refusal(PatternRule.CODE)
        return form

    def _sequence(self) -> _Form:
        parts = [self._item()]
        while self._next not in {"|", ")", "$", ""}:
            parts.append(self._item())
        return _sequence(parts)

    def _item(self) -> _Form:
        start = self._at
        atom = self._atom()
        least, most = self._bounds()
        if atom.varies and most > 1:
            self._at = start
            raise self._wrong(PatternRule.NESTING)
        return atom if least == most == 1 else _repeated(atom, least, most)

    def _atom(self) -> _Form:
        if self._take("["):
            return self._class()
        if self._depth < MAX_DEPTH and (self._take("(?:") or self._take("(")):
            return self._group()
        if self._take("\\"):
            return _one_of(self._escaped())
        if self._next in _SPECIAL or not self._next.isprintable() or self._next.isspace():
            raise self._wrong(PatternRule.SYNTAX)
        return _one_of([self._character() * 2])

    def _group(self) -> _Form:
        self._depth += 1
        choices = [self._sequence()]
        while self._take("|"):
            choices.append(self._sequence())
        if not self._take(")"):
            raise self._wrong(PatternRule.SYNTAX)
        self._depth -= 1
        return _choice(choices)

    def _class(self) -> _Form:
        ranges: list[str] = []
        while not self._take("]") or not ranges:
            if self._take("\\"):
                ranges += self._escaped()
            else:
                low = self._member()
                ranges.append(low + (self._member() if self._take("-") else low))
                if ranges[-1][0] > ranges[-1][1]:
                    raise self._wrong(PatternRule.CLASS)
        return _one_of(ranges)

    def _member(self) -> str:
        if not self._next.isalnum() and self._next != "_":
            raise self._wrong(PatternRule.CLASS)
        return self._character()

    def _escaped(self) -> list[str]:
        if self._take("d"):
            return ["09"]
        if self._next == "" or self._next not in punctuation:
            raise self._wrong(PatternRule.SYNTAX)
        return [self._character() * 2]

    def _bounds(self) -> tuple[int, int]:
        if self._take("?"):
            return 0, 1
        if self._next != "{":
            return 1, 1
        bounds = _BOUNDS.match(self._pattern, self._at)
        least, most = (int(bounds[1]), int(bounds[2] or bounds[1])) if bounds else (0, 0)
        if bounds is None or not (least <= most and 1 <= most <= MAX_CODE):
            raise self._wrong(PatternRule.BOUNDS)
        self._at = bounds.end()
        return least, most

    @property
    def _next(self) -> str:
        """The character not yet read; empty at the end."""
        return self._pattern[self._at : self._at + 1]

    def _character(self) -> str:
        character = self._next
        self._at += 1
        return character

    def _take(self, text: str) -> bool:
        """Whether this comes next, which is then read."""
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _wrong(self, rule: PatternRule) -> Refusal:
        return Refusal(rule, position=self._at + 1)


def _one_of(ranges: list[str]) -> _Form:
    """One character from a first to a last one, each two a range."""

    def step(code: str, places: _Places) -> _Places:
        return frozenset(
            at + 1 for at in places if at < len(code) and any(ends[0] <= code[at] <= ends[1] for ends in ranges)
        )

    return _Form(step, 1)


def _sequence(parts: list[_Form]) -> _Form:
    def step(code: str, places: _Places) -> _Places:
        for part in parts:
            places = part.step(code, places)
        return places

    return _Form(step, sum(part.longest for part in parts), any(part.varies for part in parts))


def _choice(parts: list[_Form]) -> _Form:
    def step(code: str, places: _Places) -> _Places:
        return frozenset().union(*(part.step(code, places) for part in parts))

    return _Form(step, max(part.longest for part in parts), any(part.varies for part in parts))


def _repeated(part: _Form, least: int, most: int) -> _Form:
    def step(code: str, places: _Places) -> _Places:
        reached = places if least == 0 else frozenset()
        for count in range(1, most + 1):
            places = part.step(code, places)
            if count >= least:
                reached |= places
        return reached

    return _Form(step, part.longest * most, part.varies or least != most)
