"""How changes stand to the time that the law gives for reporting them (R6.2), as pure functions over the rules."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mesh.instants import ms_of, time_of
from parkmesh.registry.v1.change_service_pb2 import Lateness
from parkmesh.registry.v1.rule_pb2 import RULE_NAME_STATIC_CHANGE_REPORT_HOURS, Rule

from registry.storage.reader import in_force

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Window:
    """Changes that became true from start_ms on and before end_ms (None: no bound) had this long to be reported."""

    start_ms: int
    end_ms: int | None
    allowed_ms: int


def lateness(rules: Sequence[Rule], effective_ms: int, report_ms: int) -> Lateness | None:
    """By the rule that was in force when the change became true; None when none was."""
    rule = in_force(_of_reporting(rules), effective_ms)
    if rule is None:
        return None
    deadline_ms = effective_ms + rule.number * HOUR_MS
    late_ms = max(0, report_ms - deadline_ms)
    return Lateness(
        rule_id=rule.rule_id,
        basis=rule.basis,
        deadline_time=time_of(deadline_ms),
        late=late_ms > 0,
        late_seconds=-(-late_ms // 1000),
    )


def windows(rules: Sequence[Rule]) -> list[Window]:
    """The same as windows of time, each under one rule; where no rule is in force there is none."""
    reporting = _of_reporting(rules)
    ends = (ms_of(rule.end_time) for rule in reporting if rule.HasField("end_time"))
    edges = sorted({*(ms_of(rule.start_time) for rule in reporting), *ends})
    found = []
    for start_ms, end_ms in itertools.zip_longest(edges, edges[1:]):
        rule = in_force(reporting, start_ms)
        if rule is not None:
            found.append(Window(start_ms, end_ms, rule.number * HOUR_MS))
    return found


def _of_reporting(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.name == RULE_NAME_STATIC_CHANGE_REPORT_HOURS]
