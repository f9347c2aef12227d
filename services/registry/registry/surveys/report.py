"""The report of a census: how many rows mean what, and those that do not leave the register as it is."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Final

from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_OUTCOME_CHANGED,
    SURVEY_OUTCOME_INVALID,
    SURVEY_OUTCOME_MISSING,
    SURVEY_OUTCOME_NEW,
    SURVEY_OUTCOME_UNCHANGED,
    Survey,
    SurveyOutcome,
    SurveyRow,
)

from registry.storage.kinds import Kind, M
from registry.surveys.comparison import Finding

MOST_DETAILS: Final = 10_000
MOST_BYTES: Final = 2 * 1024 * 1024
"""How large the rows of a report may be together; clients of gRPC take 4 MiB by default."""

_TOLD: Final = (SURVEY_OUTCOME_INVALID, SURVEY_OUTCOME_CHANGED, SURVEY_OUTCOME_NEW, SURVEY_OUTCOME_MISSING)


def reported(survey: Survey, kind: Kind[M], findings: Sequence[Finding]) -> Survey:
    """The survey with counts and rows put in."""
    counts = Counter(finding.outcome for finding in findings)
    survey.rows = len(findings) - counts[SURVEY_OUTCOME_MISSING]
    survey.new_rows = counts[SURVEY_OUTCOME_NEW]
    survey.changed_rows = counts[SURVEY_OUTCOME_CHANGED]
    survey.unchanged_rows = counts[SURVEY_OUTCOME_UNCHANGED]
    survey.missing_rows = counts[SURVEY_OUTCOME_MISSING]
    survey.invalid_rows = counts[SURVEY_OUTCOME_INVALID]
    survey.details.extend(_rows(kind, findings, not survey.dry_run))
    return survey


def _rows(kind: Kind[M], findings: Sequence[Finding], applied: bool) -> Iterator[SurveyRow]:
    there = {SURVEY_OUTCOME_CHANGED, SURVEY_OUTCOME_MISSING} | ({SURVEY_OUTCOME_NEW} if applied else set())
    told = (finding for outcome in _TOLD for finding in findings if finding.outcome == outcome)
    size = 0
    for _, finding in zip(range(MOST_DETAILS), told, strict=False):
        row = _row(kind, finding, there)
        size += row.ByteSize()
        if size > MOST_BYTES:
            return
        yield row


def _row(kind: Kind[M], finding: Finding, there: Container[SurveyOutcome.ValueType]) -> SurveyRow:
    fields = kind.message.DESCRIPTOR.fields_by_name
    return SurveyRow(
        line=finding.line,
        outcome=finding.outcome,
        key=finding.title,
        name=kind.title(finding.key) if finding.key and finding.outcome in there else "",
        fields=[fields[name].json_name for name in finding.fields],
        violations=finding.violations,
    )
