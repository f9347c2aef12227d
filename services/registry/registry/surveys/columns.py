"""The columns that a census may have: the one table from which cells are read, and page and templates written."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_SUBJECT_BERTHS,
    SURVEY_SUBJECT_GATES,
    SURVEY_SUBJECT_LOTS,
    SurveySubject,
)

from registry.storage.kinds import BERTH, GATE, LOT, Kind
from registry.surveys.berth_columns import BERTHS
from registry.surveys.column import Column
from registry.surveys.gate_columns import GATES
from registry.surveys.lot_columns import LOTS


@dataclass(frozen=True, slots=True)
class Subject:
    """What a census counts."""

    kind: Kind[Any]
    columns: tuple[Column, ...]


def columns(subject: SurveySubject.ValueType) -> tuple[Column, ...]:
    """The columns that a census of this subject may have, in a template's order. LookupError for no subject."""
    return SUBJECTS[subject].columns


SUBJECTS: Final[Mapping[SurveySubject.ValueType, Subject]] = MappingProxyType(
    {
        SURVEY_SUBJECT_LOTS: Subject(LOT, LOTS),
        SURVEY_SUBJECT_GATES: Subject(GATE, GATES),
        SURVEY_SUBJECT_BERTHS: Subject(BERTH, BERTHS),
    }
)
"""What can be counted."""
