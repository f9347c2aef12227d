"""Which column of a file holds what, by its heading, and which cell a violation of a field is about."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vocabulary import refusal
from vocabulary.refusal import Refusal

from registry.errors import SurveyUnreadable
from registry.surveys.column import Column
from registry.surveys.words import folded

_LONGEST: Final = 64  # characters of a heading that are told
_INDEX: Final = re.compile(r"\[[^]]*\]")


class HeadingRule(refusal.Rule):
    """What can be wrong with a heading."""

    TWICE = (
        "survey.column_twice",
        "columns {first} and {second} (counted from 1) both mean {name} ({chinese}): leave one out",
        "第{first}列与第{second}列均为{chinese}（{name}），请只保留一列",
    )
    MISSING = (
        "survey.column_missing",
        "must have the column {name} ({chinese}) in its first line",
        "第一行须有{chinese}（{name}）列",
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file."""

    places: dict[str, int]
    """By the column's name, where in a line it stands."""
    headings: dict[str, str]
    """What the file calls its columns, by their names."""
    unknown: tuple[str, ...]
    """Headings that no column has."""
    columns: tuple[Column, ...]
    """All columns of the subject, in the file or not."""
    width: int
    """How many cells the heading has."""

    def cells(self, line: Sequence[str]) -> Iterator[tuple[Column, str]]:
        """The cells of a line that are filled in."""
        for column in self.columns:
            place = self.places.get(column.name)
            if place is not None and place < len(line) and line[place]:
                yield column, line[place]

    def heading(self, column: Column) -> str:
        """What the file calls the column; one that it lacks goes by its Chinese name."""
        return self.headings.get(column.name, column.chinese)

    def column_of(self, path: str) -> Column | None:
        """The column that a field belongs to, given as in `lot.berths[0].built`; None when none does."""
        field = _INDEX.sub("", path).partition(".")[2]
        whole = field.partition(".")[0]
        about = [column for column in self.columns if _json(column.field).partition(".")[0] == whole]
        named = [column for column in about if _json(column.field) == field]
        # Several columns may speak of one field: the file's own goes first.
        return next(iter(sorted(named or about, key=lambda column: column.name not in self.places)), None)


def of(heading: Sequence[str], columns: tuple[Column, ...]) -> Layout:
    """The layout of a file with this heading. SurveyUnreadable when a column stands twice or a needed one nowhere."""
    meanings = {folded(text): column for column in columns for text in (column.name, column.chinese, *column.synonyms)}
    places: dict[str, int] = {}
    unknown = []
    for at, text in enumerate(heading):
        column = meanings.get(folded(text))
        if column is None:
            if text:
                unknown.append(text)
        elif column.name in places:
            raise _refused(HeadingRule.TWICE, column, first=places[column.name] + 1, second=at + 1)
        else:
            places[column.name] = at
    identifying = [column for column in columns if column.identifies]
    absent = [column for column in identifying if column.name not in places]
    alone = [column for column in identifying if not column.needed]
    if any(column.needed for column in absent) and not any(column.name in places for column in alone):
        raise _refused(HeadingRule.MISSING, absent[0])
    headings = {name: heading[at][:_LONGEST] for name, at in places.items()}
    return Layout(places, headings, tuple(text[:_LONGEST] for text in unknown), columns, len(heading))


def _refused(rule: HeadingRule, column: Column, **facts: int) -> SurveyUnreadable:
    return SurveyUnreadable(Refusal(rule, name=column.name, chinese=column.chinese, **facts))  # type: ignore[arg-type]  # our own texts


def _json(field: str) -> str:
    first, *others = field.split("_")
    return first + "".join(word.capitalize() for word in others)
