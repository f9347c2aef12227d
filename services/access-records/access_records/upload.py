"""The use case of uploading: judge every record by itself, append what is new, say what became of each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from eventlog import EventLog, Item, LogFull, LogUnavailable, Outcome, Result, item_key
from history.errors import HistoryError
from mesh.caller import Caller
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records import logged
from access_records.archive import Archive, RecordId
from access_records.contract import first_violation, keeps_contract
from access_records.facts import Facts, digest_of, facts_of, first_difference
from access_records.rules import LotFacts, Rejection, Rules

_CONFLICT: Final = messages.OUTCOME_CONFLICT
_DEFERRED: Final = messages.OUTCOME_DEFERRED
_REJECTED: Final = messages.OUTCOME_REJECTED


class Lots(Protocol):
    """The registry's facts that an upload needs."""

    def lot(self, lot_id: str) -> LotFacts | None:
        """The lot; None when there is none."""

    def may_report(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may report for the lot at that time."""

    def may_see(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may see what is known of the lot at that time."""


class Verdict(NamedTuple):
    """What became of one record."""

    outcome: messages.Outcome.ValueType
    warnings: tuple[reasons.Warning.ValueType, ...] = ()
    reason: reasons.ErrorReason.ValueType = reasons.ERROR_REASON_UNSPECIFIED
    field: str = ""
    """JSON name within the record; empty when it is the whole record."""
    message: str = ""
    chinese: str = ""
    """The message in Chinese."""
    retryable: bool = False


class _Pending(NamedTuple):
    """A record that passed the rules and is on its way into the log."""

    place: int
    """Its index in the batch."""
    shard: int
    facts: Facts
    item: Item
    old: bool
    """Older than the log's index reaches back: the history may hold it."""
    warnings: tuple[reasons.Warning.ValueType, ...]


_ACCEPTED: Final = Verdict(messages.OUTCOME_ACCEPTED)
_DUPLICATE: Final = Verdict(messages.OUTCOME_DUPLICATE)
_STORED: Final = (messages.OUTCOME_ACCEPTED, messages.OUTCOME_DUPLICATE)


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes uploads in; one for the whole service."""

    log: EventLog
    archive: Archive
    lots: Lots
    rules: Rules
    horizon_ms: int
    """A record whose id the log's index does not know, and whose event is younger than this, is new."""

    async def upload(self, caller: Caller, records: Sequence[record_pb2.AccessRecord], now_ms: int) -> list[Verdict]:
        """What became of each record, in their order; ACCEPTED and DUPLICATE ones are durable on return.

        Raises LogFull when nothing could be stored for want of room, and LogUnavailable when the log did not answer:
        whether something was stored is then unknown.
        """
        verdicts: list[Verdict | None] = [None] * len(records)
        pending = self._judge(caller, records, now_ms, verdicts)
        old = [one for one in pending if one.old]
        if old:
            await self._settle(old, verdicts)
            pending = [one for one in pending if verdicts[one.place] is None]
        await self._append(pending, verdicts)
        assert all(verdict is not None for verdict in verdicts)
        return [verdict for verdict in verdicts if verdict is not None]

    def _judge(
        self,
        caller: Caller,
        records: Sequence[record_pb2.AccessRecord],
        now_ms: int,
        verdicts: list[Verdict | None],
    ) -> list[_Pending]:
        known: dict[str, tuple[LotFacts | None, int]] = {}
        sender = logged.reporter_part(caller.subject)
        horizon = now_ms - self.horizon_ms
        judge = self.rules.judge
        pending: list[_Pending] = []
        for index, record in enumerate(records):
            facts = facts_of(record)
            images = tuple(record.image_ids)
            if not keeps_contract(record, facts, images):
                verdicts[index] = Verdict(_REJECTED, (), *first_violation(record))
                continue
            lot_id = facts.lot_id
            if lot_id not in known:
                granted = self.lots.may_report(caller, lot_id, now_ms)
                known[lot_id] = (self.lots.lot(lot_id) if granted else None, self.log.shard_of(lot_id))
            lot, shard = known[lot_id]
            judged = judge(facts, images, lot, now_ms)
            if isinstance(judged, Rejection):
                verdicts[index] = Verdict(_REJECTED, (), *judged)
                continue
            digest = digest_of(facts)
            derived = sender + judged.plate.encoded if judged.plate else sender
            if judged.warnings:
                derived += logged.warnings_part(judged.warnings)
            payload = logged.logged(record.SerializeToString(), derived, digest, now_ms, facts.event_time_ms)
            item = Item(item_key(lot_id, facts.record_id), digest, payload)
            pending.append(_Pending(index, shard, facts, item, facts.event_time_ms < horizon, judged.warnings))
        return _judged_in_order(pending)

    async def _settle(self, old: list[_Pending], verdicts: list[Verdict | None]) -> None:
        """Decides those old records that the index or the history knows, or that nobody can decide now."""
        unknown: list[_Pending] = []
        taken: list[tuple[_Pending, int]] = []
        for shard, ones in _by_shard(old).items():
            for one, known in zip(ones, await self.log.find(shard, [one.item.key for one in ones]), strict=True):
                if known is None:
                    unknown.append(one)
                elif one.item.digest.startswith(known.digest_prefix):
                    verdicts[one.place] = _DUPLICATE
                else:
                    taken.append((one, known.offset))
        await self._conflict_with_log(taken, verdicts)
        try:
            stored = await self.archive.digests({_id_of(one.facts) for one in unknown}) if unknown else {}
        except HistoryError:
            for one in unknown:
                verdicts[one.place] = _HISTORY_AWAY
            return
        changed: list[_Pending] = []
        for one in unknown:
            digests = stored.get(_id_of(one.facts))
            if digests and one.item.digest in digests:
                verdicts[one.place] = _DUPLICATE
            elif digests:
                changed.append(one)
        await self._conflict_with_history(changed, verdicts)

    async def _append(self, pending: list[_Pending], verdicts: list[Verdict | None]) -> None:
        """Appends to every shard at once."""
        by_shard = _by_shard(pending)
        answers = await asyncio.gather(
            *(self.log.append(shard, [one.item for one in ones]) for shard, ones in by_shard.items()),
            return_exceptions=True,
        )
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        stored = len(failures) < len(answers) or any(verdict and verdict.outcome in _STORED for verdict in verdicts)
        for failure in failures:
            # Refused as a whole only when nothing of it is stored, be it now or since before.
            if not stored or not isinstance(failure, LogFull | LogUnavailable):
                raise failure
        for ones, answer in zip(by_shard.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                for one in ones:
                    verdicts[one.place] = _deferred_by(answer)
            else:
                await self._take(ones, answer, verdicts)

    async def _take(self, ones: list[_Pending], results: list[Result], verdicts: list[Verdict | None]) -> None:
        taken: list[tuple[_Pending, int]] = []
        for one, (outcome, offset) in zip(ones, results, strict=True):
            if outcome == Outcome.ACCEPTED:
                verdicts[one.place] = Verdict(messages.OUTCOME_ACCEPTED, one.warnings) if one.warnings else _ACCEPTED
            elif outcome == Outcome.DUPLICATE:
                verdicts[one.place] = _DUPLICATE
            else:
                taken.append((one, offset))
        await self._conflict_with_log(taken, verdicts)

    async def _conflict_with_log(self, taken: list[tuple[_Pending, int]], verdicts: list[Verdict | None]) -> None:
        reports: dict[tuple[int, int], bytes] = {}
        for shard in {one.shard for one, _ in taken}:
            offsets = {offset for one, offset in taken if one.shard == shard}
            try:
                found = await self.log.get_all(shard, offsets)
            except LogUnavailable:
                continue  # that it is a conflict is known; what else was stored must not be held back
            reports |= {(shard, offset): payload for offset, payload in found.items()}
        unread: list[_Pending] = []
        for one, offset in taken:
            payload = reports.get((one.shard, offset))
            if payload is None:
                unread.append(one)
            else:
                verdicts[one.place] = conflict(one.facts, logged.read(payload))
        await self._conflict_with_history(unread, verdicts)

    async def _conflict_with_history(self, taken: list[_Pending], verdicts: list[Verdict | None]) -> None:
        if not taken:
            return
        try:
            stored = await self.archive.first_reports({_id_of(one.facts) for one in taken})
        except HistoryError:
            stored = {}
        for one in taken:
            verdicts[one.place] = conflict(one.facts, stored.get(_id_of(one.facts)))


def _id_of(facts: Facts) -> RecordId:
    return facts.lot_id, facts.record_id


def _by_shard(pending: list[_Pending]) -> dict[int, list[_Pending]]:
    found: dict[int, list[_Pending]] = {}
    for one in pending:
        found.setdefault(one.shard, []).append(one)
    return found


def conflict(sent: Facts, stored: record_pb2.LoggedRecord | None) -> Verdict:
    """The verdict on a record whose id is taken, by the first report if that can be read."""
    reason = reasons.ERROR_REASON_CONFLICTS_WITH_STORED
    if stored is None:
        message = "a record with this id and other facts is stored; its first report cannot be read now"
        chinese = "相同标识但内容不同的记录已存储；目前无法读取首次上报的内容"
        return Verdict(_CONFLICT, reason=reason, field="recordId", message=message, chinese=chinese)
    field = first_difference(facts_of(stored), sent)
    if stored.direction != sent.direction:
        return Verdict(
            _CONFLICT,
            reason=reason,
            field="recordId",
            message="this id is the other direction's: an entry and its exit have two record ids and share a visit id",
            chinese="该标识属于另一方向的记录：入场与出场各用一个记录编号，共用停车流水号",
        )
    return Verdict(
        _CONFLICT,
        reason=reason,
        field=field,
        message="a record with this id is stored, and this field differs",
        chinese="该标识的记录已存储，且此字段内容不同",
    )


_HISTORY_AWAY: Final = Verdict(
    _DEFERRED,
    reason=reasons.ERROR_REASON_HISTORY_UNAVAILABLE,
    message="older than what is decided at once, and the history cannot be read now; send it again later",
    chinese="记录早于可即时判定的时间窗，且历史库暂不可用；请稍后重发",
    retryable=True,
)


_LOG_FULL: Final = Verdict(
    _DEFERRED,
    reason=reasons.ERROR_REASON_LOG_FULL,
    message="the record log is near its limit; nothing was stored, send it again later",
    chinese="记录日志接近上限，未存储任何内容；请稍后重发",
    retryable=True,
)
_LOG_AWAY: Final = Verdict(
    _DEFERRED,
    reason=reasons.ERROR_REASON_LOG_UNAVAILABLE,
    message="the record log did not answer; whether it was stored is unknown, send it again with the same id",
    chinese="记录日志无应答，是否已存储未知；请以相同标识重发",
    retryable=True,
)


def _deferred_by(failure: BaseException) -> Verdict:
    return _LOG_FULL if isinstance(failure, LogFull) else _LOG_AWAY


def _judged_in_order(pending: list[_Pending]) -> list[_Pending]:
    """The same, where an id that comes twice is old both times or never: the second is judged against the first."""
    aged = sum(one.old for one in pending)
    if not aged or aged == len(pending):
        return pending
    old_keys = {one.item.key for one in pending if one.old}
    return [one._replace(old=True) if one.item.key in old_keys and not one.old else one for one in pending]
