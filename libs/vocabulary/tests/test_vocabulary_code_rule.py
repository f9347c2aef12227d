"""Rules for codes: as Python's own engine where both understand a pattern, refused where a pattern could explode."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vocabulary.code_rule import CodeRule, PatternRule
from vocabulary.refusal import Refusal

LITERALS = st.sampled_from(["a", "b", "1", "莆", "-", r"\.", r"\-", r"\d", "[ab]", "[0-9a-c]", r"[\-1]", "[一-龥]"])
FIXED = st.sampled_from(["", "{1}", "{2}", "{03}"])
VARYING = st.sampled_from(["", "?", "{0,2}", "{1,3}", "{2}"])
GROUPS = st.lists(
    st.lists(st.tuples(LITERALS, FIXED).map("".join), min_size=1, max_size=2).map("".join), min_size=1, max_size=3
)
ATOMS = LITERALS | GROUPS.map("|".join).map("(?:{})".format) | GROUPS.map("|".join).map("({})".format)
PATTERNS = st.lists(st.tuples(ATOMS, VARYING).map("".join), min_size=1, max_size=4).map("".join).map("^{}$".format)


def refused(pattern: str) -> PatternRule:
    with pytest.raises(Refusal) as found:
        CodeRule(pattern)
    rule = found.value.rule
    assert isinstance(rule, PatternRule)
    return rule


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS, st.data())
def test_matches_as_other_engines_do(pattern: str, data: st.DataObject) -> None:
    rule = CodeRule(pattern)
    code = data.draw(
        st.from_regex(re.compile(pattern[1:-1], re.ASCII), fullmatch=True) | st.text("ab1莆-.", max_size=8)
    )
    assert rule.matches(code) is (re.fullmatch(pattern[1:-1], code, re.ASCII) is not None)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^3503[0-9]{15}$", "3503020014001200079", "350302001400120007"),
        (r"^[A-Z]{2}\d{6}$", "LC000123", "LC00012３"),
        ("^莆(荔|城|涵|秀|仙)[0-9]{4}(?:-[0-9]{1,4})?$", "莆荔0012-7", "莆田0012-7"),
        ("^(?:[0-9]{2}-){3}[0-9]$", "01-02-03-4", "01-02-3-4"),
        ("^a$", "a", "a\n"),
        ("^(ab|a)(c|bcd)$", "abcd", "abbc"),
    ],
)
def test_rules(pattern: str, good: str, bad: str) -> None:
    rule = CodeRule(pattern)
    assert rule.matches(good)
    assert not rule.matches(bad)
    assert not rule.matches("")


def test_what_explodes_elsewhere_is_quick_here() -> None:
    rule = CodeRule("^" + "a{0,3}" * 20 + "b$")
    assert not rule.matches("a" * 60)
    assert rule.matches("a" * 60 + "b")
    assert CodeRule("^(a|a|a){60}$").matches("a" * 60)
    assert CodeRule("^" + "(" * 8 + "a" + ")" * 8 + "(b)$").matches("ab")
    assert not CodeRule("^(a|a|a){60}$").matches("a" * 61)


def test_a_rule_is_its_pattern() -> None:
    assert CodeRule("^a$") == CodeRule("^a$")
    assert hash(CodeRule("^a$")) == hash(CodeRule("^a$"))
    assert repr(CodeRule("^a$")) == "CodeRule(pattern='^a$')"


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("", PatternRule.LENGTH),
        ("^$", PatternRule.LENGTH),
        ("^" + "a" * 199 + "$", PatternRule.LENGTH),
        ("abc", PatternRule.ANCHORS),
        ("^abc", PatternRule.ANCHORS),
        ("abc$", PatternRule.ANCHORS),
        ("^ab\\$", PatternRule.SYNTAX),
        ("^a|b$", PatternRule.SYNTAX),
        ("^a$b$", PatternRule.SYNTAX),
        ("^a.$", PatternRule.SYNTAX),
        ("^a*$", PatternRule.SYNTAX),
        ("^a+$", PatternRule.SYNTAX),
        ("^a??$", PatternRule.SYNTAX),
        ("^a{2}?$", PatternRule.SYNTAX),
        ("^?a$", PatternRule.SYNTAX),
        ("^()$", PatternRule.SYNTAX),
        ("^(a|)$", PatternRule.SYNTAX),
        ("^(a$", PatternRule.SYNTAX),
        ("^a)$", PatternRule.SYNTAX),
        ("^a]$", PatternRule.SYNTAX),
        ("^" + "(" * 9 + "a" + ")" * 9 + "$", PatternRule.SYNTAX),
        ("^" + "(" * 198 + "$", PatternRule.SYNTAX),
        ("^(?=a)$", PatternRule.SYNTAX),
        ("^(?i)a$", PatternRule.SYNTAX),
        ("^(?P<x>a)$", PatternRule.SYNTAX),
        (r"^(a)\1$", PatternRule.SYNTAX),
        (r"^\w$", PatternRule.SYNTAX),
        (r"^\bab$", PatternRule.SYNTAX),
        ("^a b$", PatternRule.SYNTAX),
        ("^a\n$", PatternRule.SYNTAX),
        ("^[$", PatternRule.CLASS),
        ("^[]$", PatternRule.CLASS),
        ("^[a$", PatternRule.CLASS),
        ("^[^a]$", PatternRule.CLASS),
        ("^[z-a]$", PatternRule.CLASS),
        ("^[a-]$", PatternRule.CLASS),
        ("^[-a]$", PatternRule.CLASS),
        ("^[[:digit:]]$", PatternRule.CLASS),
        ("^[a&&b]$", PatternRule.CLASS),
        (r"^[a-\d]$", PatternRule.CLASS),
        ("^a{$", PatternRule.BOUNDS),
        ("^a{}$", PatternRule.BOUNDS),
        ("^a{2,}$", PatternRule.BOUNDS),
        ("^a{,2}$", PatternRule.BOUNDS),
        ("^a{0}$", PatternRule.BOUNDS),
        ("^a{3,2}$", PatternRule.BOUNDS),
        ("^a{65}$", PatternRule.BOUNDS),
        ("^a{100}$", PatternRule.BOUNDS),
        ("^(a?){2}$", PatternRule.NESTING),
        ("^(a{1,9}b){1,9}$", PatternRule.NESTING),
        ("^((a{1,2})){2}$", PatternRule.NESTING),
        ("^a{40}b{40}$", PatternRule.CODE),
        ("^(a{40}){2}$", PatternRule.CODE),
    ],
)
def test_what_is_refused(pattern: str, rule: PatternRule) -> None:
    assert refused(pattern) is rule


def test_the_refusal_says_where() -> None:
    with pytest.raises(Refusal) as found:
        CodeRule("^AB*$")
    assert found.value.facts == {"position": 4}
    assert found.value.english.startswith("position 4: ")
    assert "{n,m}" in found.value.english


@settings(deadline=None)
@given(st.text(alphabet="ab1^$[](){}?|-,\\d:", max_size=16).map("^{}$".format) | st.text(max_size=12))
def test_any_text_is_a_rule_or_refused(pattern: str) -> None:
    try:
        rule = CodeRule(pattern)
    except Refusal:
        return
    re.compile(pattern)
    rule.matches("a1b")
