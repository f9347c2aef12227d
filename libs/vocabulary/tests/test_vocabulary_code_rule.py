"""Rules for codes: as Python's own engine where both understand a pattern, refused where a pattern could explode."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vocabulary.code_rule import CodeRule, CodeRuleRule
from vocabulary.refusal import Refusal

LITERALS = st.sampled_from(["a", "b", "1", "莆", "-", r"\.", r"\-", r"\d", "[ab]", "[0-9a-c]", r"[\-1]", "[一-龥]"])
FIXED = st.sampled_from(["", "{1}", "{2}", "{03}"])
VARYING = st.sampled_from(["", "?", "{0,2}", "{1,3}", "{2}"])
GROUPS = st.lists(
    st.lists(st.tuples(LITERALS, FIXED).map("".join), min_size=1, max_size=2).map("".join), min_size=1, max_size=3
)
ATOMS = LITERALS | GROUPS.map("|".join).map("(?:{})".format) | GROUPS.map("|".join).map("({})".format)
PATTERNS = st.lists(st.tuples(ATOMS, VARYING).map("".join), min_size=1, max_size=4).map("".join).map("^{}$".format)


def refused(pattern: str) -> CodeRuleRule:
    with pytest.raises(Refusal) as found:
        CodeRule(pattern)
    rule = found.value.rule
    assert isinstance(rule, CodeRuleRule)
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
        ("", CodeRuleRule.LENGTH),
        ("^$", CodeRuleRule.LENGTH),
        ("^" + "a" * 199 + "$", CodeRuleRule.LENGTH),
        ("abc", CodeRuleRule.ANCHORS),
        ("^abc", CodeRuleRule.ANCHORS),
        ("abc$", CodeRuleRule.ANCHORS),
        ("^ab\\$", CodeRuleRule.SYNTAX),
        ("^a|b$", CodeRuleRule.SYNTAX),
        ("^a$b$", CodeRuleRule.SYNTAX),
        ("^a.$", CodeRuleRule.SYNTAX),
        ("^a*$", CodeRuleRule.SYNTAX),
        ("^a+$", CodeRuleRule.SYNTAX),
        ("^a??$", CodeRuleRule.SYNTAX),
        ("^a{2}?$", CodeRuleRule.SYNTAX),
        ("^?a$", CodeRuleRule.SYNTAX),
        ("^()$", CodeRuleRule.SYNTAX),
        ("^(a|)$", CodeRuleRule.SYNTAX),
        ("^(a$", CodeRuleRule.SYNTAX),
        ("^a)$", CodeRuleRule.SYNTAX),
        ("^a]$", CodeRuleRule.SYNTAX),
        ("^" + "(" * 9 + "a" + ")" * 9 + "$", CodeRuleRule.SYNTAX),
        ("^" + "(" * 198 + "$", CodeRuleRule.SYNTAX),
        ("^(?=a)$", CodeRuleRule.SYNTAX),
        ("^(?i)a$", CodeRuleRule.SYNTAX),
        ("^(?P<x>a)$", CodeRuleRule.SYNTAX),
        (r"^(a)\1$", CodeRuleRule.SYNTAX),
        (r"^\w$", CodeRuleRule.SYNTAX),
        (r"^\bab$", CodeRuleRule.SYNTAX),
        ("^a b$", CodeRuleRule.SYNTAX),
        ("^a\n$", CodeRuleRule.SYNTAX),
        ("^[$", CodeRuleRule.CLASS),
        ("^[]$", CodeRuleRule.CLASS),
        ("^[a$", CodeRuleRule.CLASS),
        ("^[^a]$", CodeRuleRule.CLASS),
        ("^[z-a]$", CodeRuleRule.CLASS),
        ("^[a-]$", CodeRuleRule.CLASS),
        ("^[-a]$", CodeRuleRule.CLASS),
        ("^[[:digit:]]$", CodeRuleRule.CLASS),
        ("^[a&&b]$", CodeRuleRule.CLASS),
        (r"^[a-\d]$", CodeRuleRule.CLASS),
        ("^a{$", CodeRuleRule.BOUNDS),
        ("^a{}$", CodeRuleRule.BOUNDS),
        ("^a{2,}$", CodeRuleRule.BOUNDS),
        ("^a{,2}$", CodeRuleRule.BOUNDS),
        ("^a{0}$", CodeRuleRule.BOUNDS),
        ("^a{3,2}$", CodeRuleRule.BOUNDS),
        ("^a{65}$", CodeRuleRule.BOUNDS),
        ("^a{100}$", CodeRuleRule.BOUNDS),
        ("^(a?){2}$", CodeRuleRule.NESTING),
        ("^(a{1,9}b){1,9}$", CodeRuleRule.NESTING),
        ("^((a{1,2})){2}$", CodeRuleRule.NESTING),
        ("^a{40}b{40}$", CodeRuleRule.CODE),
        ("^(a{40}){2}$", CodeRuleRule.CODE),
    ],
)
def test_what_is_refused(pattern: str, rule: CodeRuleRule) -> None:
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
