"""How late a change is, by the rule in force when it became true."""

from hypothesis import given, settings
from hypothesis import strategies as st
from mesh.instants import time_of
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_LOT_SILENT_AFTER_HOURS, Rule
from registry.history.lateness import HOUR_MS, lateness, windows
from registry.testing import a_report_rule

T = 1_800_000_000_000
INSTANTS = st.integers(0, 20)


@st.composite
def rules_of(draw: st.DrawFn) -> list[Rule]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(INSTANTS)
        end = draw(st.none() | st.integers(start + 1, 22))
        found.append(
            a_report_rule(
                draw(st.integers(1, 4)), T + start, None if end is None else T + end, rule_id=f"rule-{number}"
            )
        )
    return draw(st.permutations(found))


def test_forty_eight_hours_to_the_millisecond() -> None:
    rules = [a_report_rule(48, T, rule_id="rule-1")]
    limit = T + 5 + 48 * HOUR_MS
    in_time = lateness(rules, T + 5, limit)
    assert in_time is not None
    assert (in_time.late, in_time.late_seconds, in_time.deadline_time) == (False, 0, time_of(limit))
    assert (in_time.rule_id, in_time.basis) == ("rule-1", rules[0].basis)
    for late_ms, seconds in ((1, 1), (1000, 1), (1001, 2)):
        late = lateness(rules, T + 5, limit + late_ms)
        assert late is not None
        assert (late.late, late.late_seconds) == (True, seconds)


def test_a_rule_holds_from_its_start_and_before_its_end() -> None:
    rules = [a_report_rule(48, T, T + 10)]
    assert lateness(rules, T - 1, T) is None
    assert lateness(rules, T, T) is not None
    assert lateness(rules, T + 9, T + 9) is not None
    assert lateness(rules, T + 10, T + 10) is None


def test_between_two_rules_none_holds_and_each_counts_for_its_own_time() -> None:
    rules = [a_report_rule(48, T, T + 10, "old"), a_report_rule(24, T + 20, None, "new")]
    found = [lateness(rules, T + at, T + at) for at in (5, 15, 25)]
    assert [each and each.rule_id for each in found] == ["old", None, "new"]


def test_of_overlapping_rules_the_one_that_began_last_counts() -> None:
    rules = [a_report_rule(24, T + 5, T + 10, "short"), a_report_rule(48, T, None, "long")]
    found = [lateness(rules, T + at, T + at) for at in (4, 5, 9, 10)]
    assert [each and each.rule_id for each in found] == ["long", "short", "short", "long"]


def test_other_rules_do_not_count() -> None:
    silent = Rule(rule_id="rule-9", name=RULE_NAME_LOT_SILENT_AFTER_HOURS, number=1, start_time=time_of(T))
    assert lateness([silent], T, T) is None
    assert windows([silent]) == []


@settings(max_examples=50)
@given(rules_of(), st.integers(-2, 24), st.integers(0, 5 * HOUR_MS))
def test_windows_say_the_same_as_the_rules(rules: list[Rule], effective: int, took_ms: int) -> None:
    told = lateness(rules, T + effective, T + effective + took_ms)
    holding = [
        window
        for window in windows(rules)
        if window.start_ms <= T + effective and (window.end_ms is None or T + effective < window.end_ms)
    ]
    assert len(holding) == (told is not None)
    assert [took_ms > window.allowed_ms for window in holding] == ([] if told is None else [told.late])
