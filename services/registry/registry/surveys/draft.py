"""Drafts: what a line of a census says of an object, before the register is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from mesh.errors import FieldViolation
from parkmesh.registry.v1.survey_service_pb2 import SurveyViolation
from vocabulary import refusal
from vocabulary.refusal import Refusal, Rule

from registry.storage.kinds import Kind
from registry.surveys import cells
from registry.surveys.cells import CellRule
from registry.surveys.column import Column
from registry.surveys.layout import Layout
from registry.surveys.sheet import Line

MOST_VIOLATIONS: Final = 20
"""How many violations of one row are told."""

_PLACE: Final = frozenset({"coordinate.latitude", "coordinate.longitude"})


class RowRule(refusal.Rule):
    """What can be wrong with a row as a whole."""

    CELLS = (
        "survey.cells_beyond_heading",
        "must not have cells beyond the columns that the heading names",
        "不得有超出表头列数的单元格",
    )


@dataclass(slots=True)
class Draft:
    """One line, understood as far as it can be."""

    line: int
    message: Any
    """What the line states of the object."""
    stated: list[str] = field(default_factory=list)
    """The fields that it states, in the proto's order."""
    texts: dict[str, str] = field(default_factory=dict)
    """The cells that name the object or another one, by their column's name."""
    violations: list[SurveyViolation] = field(default_factory=list)
    """What is wrong with it."""
    at_fault: set[str] = field(default_factory=set)
    """The names of the columns that are."""

    def copy(self) -> Self:
        """Another one, whose message and lists are its own."""
        message = type(self.message)()
        message.CopyFrom(self.message)
        return replace(
            self,
            message=message,
            stated=list(self.stated),
            violations=list(self.violations),
            at_fault=set(self.at_fault),
        )


def drafts(kind: Kind[Any], layout: Layout, lines: Sequence[Line]) -> list[Draft]:
    """What the lines say. Takes its time: not for the event loop."""
    return [_draft(kind, layout, line) for line in lines]


def _draft(kind: Kind[Any], layout: Layout, line: Line) -> Draft:
    draft = Draft(line.number, kind.message())
    filled = list(layout.cells(line.cells))
    if len(line.cells) > layout.width:
        refuse(draft, layout, None, RowRule.CELLS)
    placed = any(column.field in _PLACE for column, _ in filled)
    stated = set()
    for column, text in filled:
        if column.identifies or column.put is None:
            draft.texts[column.name] = text
        if text in cells.ERRORS:
            refuse(draft, layout, column, CellRule.FORMULA)
        elif column.put is not None and (placed or column.field != "coordinate.system"):
            try:
                column.put(draft.message, text)
            except Refusal as refusal:
                _note(draft, layout, column, refusal.rule.id, refusal.english, refusal.chinese)
            stated.add(_whole(column))
    draft.stated = [each.name for each in kind.message.DESCRIPTOR.fields if each.name in stated]
    return draft


def refuse(draft: Draft, layout: Layout, column: Column | None, rule: Rule, **facts: int) -> None:
    """Notes that a cell breaks a rule; None for the row as a whole."""
    refusal = Refusal(rule, **facts)
    _note(draft, layout, column, rule.id, refusal.english, refusal.chinese)


def refuse_fields(draft: Draft, layout: Layout, found: Sequence[FieldViolation]) -> None:
    """Notes violations of the message at the cells that they are about; of what is at fault by itself, none."""
    before = {_whole(column) for column in layout.columns if column.name in draft.at_fault}
    for violation in found:
        column = layout.column_of(violation.field)
        if column is None or _whole(column) not in before:
            _note(draft, layout, column, violation.rule, violation.description, violation.chinese)


def _note(draft: Draft, layout: Layout, column: Column | None, rule: str, english: str, chinese: str) -> None:
    if column is not None:
        draft.at_fault.add(column.name)
    told = SurveyViolation(
        column=layout.heading(column) if column else "", rule=rule, description=english, description_zh=chinese
    )
    if len(draft.violations) < MOST_VIOLATIONS and told not in draft.violations:
        draft.violations.append(told)


def _whole(column: Column) -> str:
    return column.field.partition(".")[0]
