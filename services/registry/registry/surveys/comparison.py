"""What each row of a census means for the register: found out without changing anything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mesh import validation
from mesh.caller import Caller
from mesh.errors import FieldViolation
from mesh.reasons import chinese_of
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_OUTCOME_CHANGED,
    SURVEY_OUTCOME_INVALID,
    SURVEY_OUTCOME_MISSING,
    SURVEY_OUTCOME_NEW,
    SURVEY_OUTCOME_UNCHANGED,
    SurveyOutcome,
    SurveyViolation,
)
from vocabulary import credit_code, refusal
from vocabulary.refusal import Refusal

from registry.errors import AlreadyRegistered, EffectiveTooEarly
from registry.forms import derived, table
from registry.forms.reference import ReferenceRule
from registry.forms.violation import json_path
from registry.static.register import begun
from registry.storage import revisions
from registry.storage.kinds import LOT
from registry.storage.reader import Held
from registry.surveys.draft import Draft, refuse, refuse_fields
from registry.surveys.identity import REQUIRED, identity
from registry.surveys.known import Known
from registry.surveys.layout import Layout
from registry.surveys.merging import merged

_ROWS_AT_ONCE: Final = 50
"""After so many, whatever else waits for the event loop has its turn."""


class DoubleRule(refusal.Rule):
    """What can be wrong between two rows."""

    ROW = ("survey.row_twice", "must stand once; line {line} is about the same", "同一对象只列一次，与第{line}行重复")
    CODE = (
        "survey.police_code_twice",
        "must stand once; line {line} has the same police code",
        "同一公安泊位编码只列一次，与第{line}行重复",
    )


@dataclass(slots=True)
class Finding:
    """What a row means."""

    line: int
    outcome: SurveyOutcome.ValueType
    title: str
    """What the row is about; empty when that cannot be told."""
    key: str = ""
    """The key in the register; empty for a lot that is new, which has none yet."""
    fields: tuple[str, ...] = ()
    """Of an object that is there, the fields that differ, by the proto's names."""
    violations: list[SurveyViolation] = field(default_factory=list)
    message: Any = None
    """The object as it is to be written, when it is new or changed: as it was when the census counted."""


class Comparison:
    """Compares the rows of one file, in their order, with what is known. Made for one comparison."""

    def __init__(self, known: Known, layout: Layout, caller: Caller, effective_ms: int | None) -> None:
        self._known = known
        self._kind = known.kind
        self._layout = layout
        self._caller = caller
        self._effective_ms = known.now_ms if effective_ms is None else effective_ms
        self._lines: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self._named: set[str] = set()

    async def findings(self, drafts: Sequence[Draft]) -> list[Finding]:
        """One for each row, which stays as it is, then one for each object that the census should name and does not."""
        found = []
        for at, draft in enumerate(drafts):
            if at % _ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
            found.append(await self._finding(draft.copy()))
        return [*found, *self._missing()]

    async def _finding(self, draft: Draft) -> Finding:
        told = identity(self._known, self._layout, draft)
        if told is None:
            # What must be stated of a new object is not known to be missing here.
            stated = [violation for violation in self._broken(draft.message) if violation.rule != REQUIRED]
            refuse_fields(draft, self._layout, stated)
            return Finding(draft.line, SURVEY_OUTCOME_INVALID, "", violations=draft.violations)
        finding = Finding(draft.line, SURVEY_OUTCOME_INVALID, *told, violations=draft.violations)
        self._named.add(finding.key)
        line = self._lines.setdefault(finding.title, draft.line)
        if line != draft.line:
            refuse(draft, self._layout, None, DoubleRule.ROW, line=line)
            return finding
        self._name_operator(draft)
        held = self._known.objects.get(finding.key)
        if held is None:
            await self._judge_new(draft, finding)
        else:
            await self._judge_held(draft, finding, held)
        if any(column.identifies and column.name in draft.at_fault for column in self._layout.columns):
            finding.title = ""
        return finding

    async def _judge_new(self, draft: Draft, finding: Finding) -> None:
        message = draft.message
        if self._kind.name == LOT.name:
            begun(self._caller, message)
        refuse_fields(draft, self._layout, await self._wrong(message))
        self._claim(draft, finding, message, self._kind.unique)
        if not draft.violations:
            finding.outcome, finding.message = SURVEY_OUTCOME_NEW, message

    async def _judge_held(self, draft: Draft, finding: Finding, held: Held[Any]) -> None:
        then = self._then(finding.key, held)
        fields = [name for name in draft.stated if name not in self._kind.ids]
        before = held.message if then is None else then
        message = merged(before, draft.message, fields, self._effective_ms)
        # What does not differ as it is sent does not when it is normalised, which takes much longer.
        if changed := _differing(fields, before, message):
            wrong = await self._wrong(message)
            changed = _differing(fields, before, message)
        if changed:
            refuse_fields(draft, self._layout, wrong)
            self._claim(draft, finding, message, changed)
            if then is None:
                refuse_fields(draft, self._layout, EffectiveTooEarly().fields)
        if not draft.violations:
            finding.outcome = SURVEY_OUTCOME_CHANGED if changed else SURVEY_OUTCOME_UNCHANGED
            finding.fields, finding.message = changed, message if changed else None

    def _then(self, key: str, held: Held[Any]) -> Any:
        """The object as it was when the census counted; None when it was not there yet."""
        if key not in self._known.histories:
            return held.message
        state = revisions.state_at(self._known.histories[key], self._effective_ms, None)
        return None if state is None else derived.again(state)

    async def _wrong(self, message: Any) -> list[FieldViolation]:
        """What the proto finds wrong, or else the domain; what is normalised or derived is put into the message."""
        name = self._kind.name
        return self._broken(message) or await table.examine(self._kind, message, self._known, name)

    def _broken(self, message: Any) -> list[FieldViolation]:
        return validation.violations(message, f"{self._kind.name}.")

    def _name_operator(self, draft: Draft) -> None:
        text = draft.texts.get("operatorCreditCode")
        if text is None or "operatorCreditCode" in draft.at_fault:
            return
        path = "lot.operatorId"
        try:
            operator_id = self._known.operators.get(credit_code.parse(text).text)
        except Refusal as wrong:
            violation = FieldViolation(path, wrong.rule.id, wrong.english, wrong.chinese)
            refuse_fields(draft, self._layout, [violation])
            return
        if operator_id is None:
            rule = ReferenceRule.OPERATOR
            refuse_fields(draft, self._layout, [FieldViolation(path, rule.id, rule.english, rule.chinese)])
            return
        draft.message.operator_id = operator_id
        draft.stated.append("operator_id")

    def _claim(self, draft: Draft, finding: Finding, message: Any, fields: Sequence[str]) -> None:
        """Sees to it that of these fields no unique one comes to have a value that another object has."""
        for name, value in self._kind.names(message):
            if name not in fields:
                continue
            path = json_path(self._kind.name, message, name)
            if self._known.taken.get(value, finding.key) != finding.key:
                refuse_fields(draft, self._layout, [_taken(path)])
            elif (line := self._codes.setdefault(value, draft.line)) != draft.line:
                refuse(draft, self._layout, self._layout.column_of(path), DoubleRule.CODE, line=line)

    def _missing(self) -> list[Finding]:
        absent = [held.message for held in self._known.expected if self._kind.key(held.message) not in self._named]
        found = [
            Finding(0, SURVEY_OUTCOME_MISSING, self._known.title(message), self._kind.key(message))
            for message in absent
        ]
        return sorted(found, key=lambda finding: finding.title)


def _differing(fields: Sequence[str], before: Any, after: Any) -> tuple[str, ...]:
    differ = revisions.changed_fields(before, after)
    return tuple(name for name in fields if name in differ)


def _taken(path: str) -> FieldViolation:
    """What a value breaks that another object has, in sight or not."""
    error = AlreadyRegistered(path.rpartition(".")[2])
    return FieldViolation(path, "already_registered", error.message, chinese_of(error.reason))
