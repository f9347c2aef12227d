"""The use case of revising: judge every correction, void and reinstatement by itself, append what is new, say what
became of each (R5.2f, R5.2g).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eventlog import EventLog, Item, LogUnavailable
from history.errors import HistoryError
from mesh.caller import Caller
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.archive import Archive, RecordId, Report
from access_records.records import logged, revision_rules
from access_records.records.appending import Appending, Pending, Verdicts
from access_records.records.refusals import Refusals, Refused
from access_records.records.revisions import CORRECTABLE, Revised, digest_of, logged_of, revised_from, revised_of
from access_records.records.rules import LotFacts, Rejection, Rules
from access_records.records.state import fold
from access_records.records.states import States, key_of
from access_records.records.upload import Lots
from access_records.records.verdict import STORED, Verdict, conflict

_REJECTED: Final = messages.OUTCOME_REJECTED
_CORRECTION: Final = record_pb2.REVISION_KIND_CORRECTION
_JSON: Final = {name: revision_pb2.RecordChanges.DESCRIPTOR.fields_by_name[name].json_name for name in CORRECTABLE}


@dataclass(frozen=True, slots=True)
class Revisions:
    """Takes revisions in; one for the whole service."""

    log: EventLog
    archive: Archive
    states: States
    lots: Lots
    rules: Rules
    refusals: Refusals | None = None
    """Where what is refused is noted; None: nowhere."""

    async def upload(
        self, caller: Caller, revisions: Sequence[revision_pb2.RecordRevision], now_ms: int
    ) -> list[Verdict]:
        """What became of each revision, in their order; ACCEPTED and DUPLICATE ones are durable on return.

        Raises LogFull when nothing could be stored for want of room, and LogUnavailable when the log did not answer:
        whether something was stored is then unknown.
        """
        verdicts: Verdicts = [None] * len(revisions)
        refused: list[tuple[int, Revised]] = []
        pending = self._judge(caller, revisions, now_ms, verdicts, refused)
        await Appending(self.log, Stored(self.archive)).append(pending, verdicts)
        if refused and self.refusals is not None:
            await self.refusals.note(caller, [_refused(revised, verdicts[index]) for index, revised in refused], now_ms)
        stated = {one.place: one.stated for one in pending}
        await self._remark(stated, verdicts)
        assert all(verdict is not None for verdict in verdicts)
        return [verdict for verdict in verdicts if verdict is not None]

    def _judge(
        self,
        caller: Caller,
        revisions: Sequence[revision_pb2.RecordRevision],
        now_ms: int,
        verdicts: Verdicts,
        refused: list[tuple[int, Revised]],
    ) -> list[Pending[Revised]]:
        known: dict[str, LotFacts | None] = {}
        pending: list[Pending[Revised]] = []
        for index, revision in enumerate(revisions):
            broken = revision_rules.broken_contract(revision)
            revised = revised_of(revision)
            if broken:
                verdicts[index] = Verdict(_REJECTED, (), *broken)
                refused.append((index, revised))
                continue
            lot_id = revised.lot_id
            if lot_id not in known:
                known[lot_id] = self.lots.lot(lot_id) if self.lots.may_revise(caller, lot_id, now_ms) else None
            judged = revision_rules.judge(self.rules, revision, revised, known[lot_id], now_ms)
            if isinstance(judged, Rejection):
                verdicts[index] = Verdict(_REJECTED, (), *judged)
                refused.append((index, revised))
                continue
            digest = digest_of(revised)
            message = logged_of(revised, digest, now_ms)
            message.vendor_id, message.account_id = caller.subject, caller.account
            message.warnings.extend(judged.warnings)
            if judged.plate:
                message.MergeFromString(judged.plate.encoded)
            item = Item(key_of(lot_id, revised.record_id, revised.revision), digest, logged.revised(message))
            # Another author may have taken the number before the index forgot it, whenever this one was decided.
            pending.append(Pending(index, self.log.shard_of(lot_id), revised, item, True, judged.warnings))
        return pending

    async def _remark(self, stated: Mapping[int, Revised], verdicts: Verdicts) -> None:
        """Adds to what was stored what its author should know of the record: as far as that can be read now."""
        stored = {
            place: revised for place, revised in stated.items() if (said := verdicts[place]) and said.outcome in STORED
        }
        if not stored:
            return
        try:
            reports = await self.states.reports({(one.lot_id, one.record_id) for one in stored.values()})
        except (HistoryError, LogUnavailable):
            return
        for place, revised in stored.items():
            verdict = verdicts[place]
            assert verdict is not None
            remarks = remarks_on(revised, reports.get((revised.lot_id, revised.record_id), []))
            verdicts[place] = verdict._replace(warnings=(*verdict.warnings, *remarks))


def _refused(revised: Revised, verdict: Verdict | None) -> Refused:
    assert verdict is not None
    facts = revised.facts
    return Refused(
        revised.lot_id,
        revised.record_id,
        max(0, revised.revision),
        digest_of(revised),
        facts.plate_number,
        facts.event_time_ms,
        verdict.reason,
        verdict.field,
    )


def remarks_on(revised: Revised, reports: Sequence[Report]) -> list[reasons.Warning.ValueType]:
    """What is unusual about a stored revision, given all that is known under the id of its record."""
    numbers = {report.revision for report in reports}
    found: list[reasons.Warning.ValueType] = []
    state = fold(reports)
    if state is None:
        found.append(reasons.WARNING_RECORD_UNKNOWN)
    elif state.voided and revised.kind == _CORRECTION:
        found.append(reasons.WARNING_RECORD_VOID)
    if any(number not in numbers for number in range(1, revised.revision)):
        found.append(reasons.WARNING_REVISION_GAP)
    if any(number > revised.revision for number in numbers):
        found.append(reasons.WARNING_REVISION_OVERTAKEN)
    return found


@dataclass(frozen=True, slots=True)
class Stored:
    """What the history holds of revisions."""

    archive: Archive

    async def digests(self, ones: Sequence[Pending[Revised]]) -> Mapping[bytes, Collection[bytes]]:
        """As Kin says."""
        return {key: [one.digest for one in found] for key, found in (await self._by_key(ones)).items()}

    async def earliest(self, ones: Sequence[Pending[Revised]]) -> Mapping[bytes, record_pb2.LoggedRecord]:
        """As Kin says."""
        return {
            key: min(found, key=lambda report: report.log_offset) for key, found in (await self._by_key(ones)).items()
        }

    async def _by_key(self, ones: Sequence[Pending[Revised]]) -> dict[bytes, list[Report]]:
        records: Iterable[RecordId] = {(one.stated.lot_id, one.stated.record_id) for one in ones}
        asked = {one.item.key for one in ones}
        found: dict[bytes, list[Report]] = {}
        for (lot_id, record_id), reports in (await self.archive.reports(records)).items():
            for report in reports:
                key = key_of(lot_id, record_id, report.revision)
                if report.revision and key in asked:
                    found.setdefault(key, []).append(report)
        return found

    def conflict(self, sent: Revised, stored: record_pb2.LoggedRecord | None) -> Verdict:
        """As Kin says."""
        english = (
            f"revision {sent.revision} of this record is another one; read the record and send yours under the next"
        )
        chinese = f"该记录的第 {sent.revision} 号修订已为其他内容；请重新读取记录，以下一修订号提交"
        field = "revision" if stored is None else first_difference(revised_from(stored), sent)
        return conflict(field, english, chinese)


def first_difference(stored: Revised, sent: Revised) -> str:
    """The JSON name of the first thing in which two revisions differ; empty when they are equal."""
    for name, shown in (("kind", "kind"), ("fields", "updateMask")):
        if getattr(stored, name) != getattr(sent, name):
            return shown
    for name in sent.fields:
        fact = "event_time_ms" if name == "event_time" else name
        if getattr(stored.facts, fact) != getattr(sent.facts, fact):
            return f"changes.{_JSON[name]}"
    for name, shown in (
        ("reason", "reason"),
        ("reason_text", "reasonText"),
        ("author", "author"),
        ("evidence_ids", "evidenceIds"),
        ("made_ms", "madeTime"),
    ):
        if getattr(stored, name) != getattr(sent, name):
            return shown
    return ""
