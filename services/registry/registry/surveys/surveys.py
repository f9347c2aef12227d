"""Surveys: a census is read, compared, and applied as one change set; its report is kept (R8.3)."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from mesh.caller import Caller, CallerKind
from mesh.clock import Clock, Ids
from mesh.errors import FieldViolation
from mesh.instants import time_of
from parkmesh.registry.v1.survey_service_pb2 import (
    SURVEY_OUTCOME_INVALID,
    Survey,
    SurveyFormat,
    SurveySubject,
)

from registry.errors import NotRegistered, SurveyConflict, SurveyInvalid, TooManySurveys
from registry.static.register import check_effective
from registry.storage.acts import Act
from registry.storage.reader import Reader
from registry.storage.store import Store, to_the_end
from registry.storage.tables import SURVEYS
from registry.storage.writer import Writer
from registry.surveys import file, layout
from registry.surveys.applied import apply
from registry.surveys.columns import SUBJECTS
from registry.surveys.comparison import Comparison, Finding
from registry.surveys.draft import Draft, drafts
from registry.surveys.known import Known, known
from registry.surveys.layout import Layout
from registry.surveys.report import reported

MOST_WAITING: Final = 8
"""How many censuses wait for their turn; more are refused, for each is held in memory."""
MOST_WAITING_OF_ONE: Final = 2
"""How many of them may be of one vendor, operator or department: nobody keeps all others out."""

_SEE_ALL: Final = frozenset({CallerKind.SUPERVISOR, CallerKind.ADMINISTRATOR})
_PARAMETERS: Final = ("subject", "format", "source", "skip_invalid", "division_code", "content_sha256")
"""Fields of a report that say what was asked for."""


@dataclass(frozen=True, slots=True)
class Census:
    """What is to be imported."""

    survey_id: str
    subject: SurveySubject.ValueType
    format: SurveyFormat.ValueType
    content: bytes
    source: str
    dry_run: bool = False
    skip_invalid: bool = False
    division_code: str = ""
    effective_ms: int | None = None
    """When it was counted; None: now."""


class Surveys:
    """Imports censuses, one at a time, for each takes much of the machine; and gives their reports."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._turn = asyncio.Lock()
        self._waiting: Counter[str] = Counter()

    async def import_survey(self, caller: Caller, census: Census) -> Survey:
        """Compares a census with the register and, unless it is a dry run, applies it: all of it or nothing.

        Applied before under this id, with the same file and parameters, it is answered with its report, and nothing is
        done. InvalidField, SurveyUnreadable, SurveyInvalid, SurveyConflict, TooManySurveys.
        """
        check_effective(census.effective_ms, self._clock.now_ms())
        if self._waiting.total() >= MOST_WAITING or self._waiting[caller.subject] >= MOST_WAITING_OF_ONE:
            raise TooManySurveys
        one = Counter([caller.subject])
        self._waiting += one
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= one
        return await self._imported(caller, census)

    @to_the_end
    async def _imported(self, caller: Caller, census: Census) -> Survey:
        """Whoever has the turn gives it back when the work has ended, not when its caller hangs up."""
        try:
            now_ms = self._clock.now_ms()
            survey = await asyncio.to_thread(_begun, census, caller, now_ms)
            if not census.dry_run:
                async with self._store.reading() as facts:
                    if earlier := await _same(facts, caller, survey, census):
                        return earlier
            shape, rows = await asyncio.to_thread(_read, census)
            survey.unknown_columns.extend(shape.unknown)
            return await _Import(self._store, self._ids, caller, census, survey, shape, rows).carried_out(now_ms)
        finally:
            self._turn.release()

    @to_the_end
    async def survey(self, caller: Caller, survey_id: str, author: str) -> Survey:
        """The report of an applied survey; of the caller's own, where no author is named. NotRegistered."""
        owner = author or caller.subject
        if owner != caller.subject and caller.kind not in _SEE_ALL:
            raise NotRegistered("survey")
        async with self._store.reading() as facts:
            found = await _stored(facts, owner, survey_id)
        if found is None:
            raise NotRegistered("survey")
        return found

    @to_the_end
    async def surveys(self, caller: Caller, after: str, limit: int) -> list[tuple[str, Survey]]:
        """The applied surveys that the caller may see whose place (id and author) follows, in that order, without
        their rows.
        """
        survey_id, _, owner = after.partition("/")
        follows = (SURVEYS.c.survey_id > survey_id) | ((SURVEYS.c.survey_id == survey_id) & (SURVEYS.c.owner > owner))
        chosen = sa.select(SURVEYS.c.survey_id, SURVEYS.c.owner, SURVEYS.c.report).where(follows)
        if caller.kind not in _SEE_ALL:
            chosen = chosen.where(SURVEYS.c.owner == caller.subject)
        async with self._store.reading() as facts:
            rows = await facts.rows(chosen.order_by(SURVEYS.c.survey_id, SURVEYS.c.owner).limit(limit))
        return [(f"{row.survey_id}/{row.owner}", Survey.FromString(row.report)) for row in rows]


class _Import:
    """One import. The comparison is made outside of any transaction and holds for as long as nobody changes anything;
    where somebody does before its own transaction begins, it is made again within that.
    """

    def __init__(
        self,
        store: Store,
        ids: Ids,
        caller: Caller,
        census: Census,
        survey: Survey,
        shape: Layout,
        rows: list[Draft],
    ) -> None:
        self._store = store
        self._ids = ids
        self._caller = caller
        self._census = census
        self._survey = survey
        self._shape = shape
        self._rows = rows
        self._kind = SUBJECTS[census.subject].kind

    async def carried_out(self, now_ms: int) -> Survey:
        async with self._store.reading() as facts:
            held = await self._known(facts, now_ms)
        findings = await self._findings(held)
        if self._census.dry_run:
            return await asyncio.to_thread(reported, self._survey, self._kind, findings)
        self._check(findings)
        act = Act.of(
            self._caller,
            now_ms,
            reason=self._census.source,
            effective_ms=self._census.effective_ms,
            change_set=self._census.survey_id,
        )
        async with self._store.writing(act) as writer:
            if earlier := await _same(writer, self._caller, self._survey, self._census):
                return earlier
            if await writer.position() != held.position:
                findings = await self._findings(await self._known(writer, now_ms))
                self._check(findings)
            return await self._apply(writer, findings)

    async def _known(self, facts: Reader, now_ms: int) -> Known:
        return await known(
            facts,
            self._caller,
            self._kind,
            self._rows,
            now_ms=now_ms,
            effective_ms=self._census.effective_ms,
            division_code=self._census.division_code,
        )

    async def _findings(self, held: Known) -> list[Finding]:
        comparison = Comparison(held, self._shape, self._caller, self._census.effective_ms)
        return await comparison.findings(self._rows)

    def _check(self, findings: list[Finding]) -> None:
        wrong = [finding for finding in findings if finding.outcome == SURVEY_OUTCOME_INVALID]
        if wrong and not self._census.skip_invalid:
            raise SurveyInvalid(
                len(wrong),
                [
                    FieldViolation(
                        f"content[{finding.line}].{violation.column}".rstrip("."),
                        violation.rule,
                        violation.description,
                        violation.description_zh,
                    )
                    for finding in wrong
                    for violation in finding.violations
                ],
            )

    async def _apply(self, writer: Writer, findings: list[Finding]) -> Survey:
        writer.about(f"surveys/{self._census.survey_id}")
        writer.note()
        self._rows = []  # nothing is compared any more, and they may be many
        await apply(writer, self._kind, findings, self._ids)
        survey = await asyncio.to_thread(reported, self._survey, self._kind, findings)
        survey.revision = writer.revision if writer.changed else 0
        summary = Survey()
        summary.CopyFrom(survey)
        summary.ClearField("details")
        await writer.execute(
            sa.insert(SURVEYS).values(
                owner=self._caller.subject,
                survey_id=survey.survey_id,
                content_sha256=survey.content_sha256,
                report=summary.SerializeToString(),
                details=Survey(details=survey.details).SerializeToString(),
            )
        )
        return survey


def _begun(census: Census, caller: Caller, now_ms: int) -> Survey:
    return Survey(
        survey_id=census.survey_id,
        subject=census.subject,
        format=census.format,
        source=census.source,
        dry_run=census.dry_run,
        skip_invalid=census.skip_invalid,
        division_code=census.division_code,
        content_sha256=hashlib.sha256(census.content).hexdigest(),
        create_time=time_of(now_ms),
        effective_time=time_of(now_ms if census.effective_ms is None else census.effective_ms),
        author=caller.subject,
    )


def _read(census: Census) -> tuple[Layout, list[Draft]]:
    subject = SUBJECTS[census.subject]
    sheet = file.read(census.content, census.format)
    shape = layout.of(sheet.heading, subject.columns)
    return shape, drafts(subject.kind, shape, sheet.lines)


async def _same(facts: Reader, caller: Caller, survey: Survey, census: Census) -> Survey | None:
    """The report of the survey when it was applied before; None when it was not. SurveyConflict."""
    earlier = await _stored(facts, caller.subject, census.survey_id)
    if earlier is None:
        return None
    stated = census.effective_ms is not None
    if any(getattr(earlier, name) != getattr(survey, name) for name in _PARAMETERS) or (
        stated and earlier.effective_time != survey.effective_time
    ):
        raise SurveyConflict
    return earlier


async def _stored(facts: Reader, owner: str, survey_id: str) -> Survey | None:
    chosen = sa.select(SURVEYS).where(SURVEYS.c.owner == owner, SURVEYS.c.survey_id == survey_id)
    for row in await facts.rows(chosen):
        survey = Survey.FromString(row.report)
        survey.MergeFromString(row.details)
        return survey
    return None
