"""The use case of uploading: judge every record by itself, append what is new, say what became of each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eventlog import EventLog, Item
from mesh.caller import Caller
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from vocabulary.record import Facts, digest_of, facts_of, first_difference

from access_records.archive import Archive, RecordId
from access_records.records import logged
from access_records.records.appending import Appending, Pending, Verdicts
from access_records.records.contract import first_violation, keeps_contract
from access_records.records.refusals import Refusals, Refused
from access_records.records.rules import LotFacts, Rejection, Rules
from access_records.records.state import first_report
from access_records.records.states import key_of
from access_records.records.verdict import Verdict, conflict

_REJECTED: Final = messages.OUTCOME_REJECTED


class Lots(Protocol):
    """The registry's facts that an upload needs."""

    def lot(self, lot_id: str) -> LotFacts | None:
        """The lot; None when there is none."""

    def may_report(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may report for the lot at that time."""

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may revise records of the lot at that time."""

    def may_see(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may see what is known of the lot at that time."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes uploads in; one for the whole service."""

    log: EventLog
    archive: Archive
    lots: Lots
    rules: Rules
    horizon_ms: int
    """A record whose id the log's index does not know, and whose event is younger than this, is new."""
    refusals: Refusals | None = None
    """Where what is refused is noted; None: nowhere."""

    async def upload(self, caller: Caller, records: Sequence[record_pb2.AccessRecord], now_ms: int) -> list[Verdict]:
        """What became of each record, in their order; ACCEPTED and DUPLICATE ones are durable on return.

        Raises LogFull when nothing could be stored for want of room, and LogUnavailable when the log did not answer:
        whether something was stored is then unknown.
        """
        verdicts: Verdicts = [None] * len(records)
        refused: list[tuple[int, Facts]] = []
        pending = self._judge(caller, records, now_ms, verdicts, refused)
        await Appending(self.log, FirstReports(self.archive)).append(pending, verdicts)
        if refused and self.refusals is not None:
            await self.refusals.note(caller, [_refused(facts, verdicts[index]) for index, facts in refused], now_ms)
        assert all(verdict is not None for verdict in verdicts)
        return [verdict for verdict in verdicts if verdict is not None]

    def _judge(
        self,
        caller: Caller,
        records: Sequence[record_pb2.AccessRecord],
        now_ms: int,
        verdicts: Verdicts,
        refused: list[tuple[int, Facts]],
    ) -> list[Pending[Facts]]:
        known: dict[str, tuple[LotFacts | None, int]] = {}
        sender = logged.reporter_part(caller.subject)
        horizon = now_ms - self.horizon_ms
        judge = self.rules.judge
        pending: list[Pending[Facts]] = []
        for index, record in enumerate(records):
            facts = facts_of(record)
            images = tuple(record.image_ids)
            if not keeps_contract(record, facts, images):
                verdicts[index] = Verdict(_REJECTED, (), *first_violation(record))
                refused.append((index, facts))
                continue
            lot_id = facts.lot_id
            if lot_id not in known:
                granted = self.lots.may_report(caller, lot_id, now_ms)
                known[lot_id] = (self.lots.lot(lot_id) if granted else None, self.log.shard_of(lot_id))
            lot, shard = known[lot_id]
            judged = judge(facts, images, lot, now_ms)
            if isinstance(judged, Rejection):
                verdicts[index] = Verdict(_REJECTED, (), *judged)
                refused.append((index, facts))
                continue
            digest = digest_of(facts)
            derived = sender + judged.plate.encoded if judged.plate else sender
            if judged.warnings:
                derived += logged.warnings_part(judged.warnings)
            payload = logged.logged(record.SerializeToString(), derived, digest, now_ms, facts.event_time_ms)
            item = Item(key_of(lot_id, facts.record_id), digest, payload)
            pending.append(Pending(index, shard, facts, item, facts.event_time_ms < horizon, judged.warnings))
        return pending


@dataclass(frozen=True, slots=True)
class FirstReports:
    """What the history holds of first reports."""

    archive: Archive

    async def digests(self, ones: Sequence[Pending[Facts]]) -> Mapping[bytes, Collection[bytes]]:
        """As Kin says."""
        stored = await self.archive.digests({_id_of(one.stated) for one in ones})
        return {one.item.key: stored[_id_of(one.stated)] for one in ones if _id_of(one.stated) in stored}

    async def earliest(self, ones: Sequence[Pending[Facts]]) -> Mapping[bytes, record_pb2.LoggedRecord]:
        """As Kin says."""
        stored = await self.archive.reports({_id_of(one.stated) for one in ones})
        found = {one.item.key: first_report(stored.get(_id_of(one.stated), ())) for one in ones}
        return {key: report for key, report in found.items() if report is not None}

    def conflict(self, sent: Facts, stored: record_pb2.LoggedRecord | None) -> Verdict:
        """As Kin says."""
        if stored is None:
            return conflict(
                "recordId",
                "a record with this id and other facts is stored; its first report cannot be read now",
                "相同标识但内容不同的记录已存储；目前无法读取首次上报的内容",
            )
        if stored.direction != sent.direction:
            return conflict(
                "recordId",
                "this id is the other direction's: an entry and its exit have two record ids and share a visit id",
                "该标识属于另一方向的记录：入场与出场各用一个记录编号，共用停车流水号",
            )
        return conflict(
            first_difference(facts_of(stored), sent),
            "a record with this id is stored, and this field differs; what was wrong is corrected by a revision",
            "该标识的记录已存储，且此字段内容不同；如需更正请提交纠正",
        )


def _refused(facts: Facts, verdict: Verdict | None) -> Refused:
    assert verdict is not None
    return Refused(
        facts.lot_id,
        facts.record_id,
        0,
        digest_of(facts),
        facts.plate_number,
        facts.event_time_ms,
        verdict.reason,
        verdict.field,
    )


def _id_of(facts: Facts) -> RecordId:
    return facts.lot_id, facts.record_id
