"""How a batch of judged items gets into the log, each once, and what is said of those that are there already."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from eventlog import EventLog, Item, LogFull, LogUnavailable, Outcome, Result
from history.errors import HistoryError
from parkmesh.access.v1 import access_record_service_pb2 as messages
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.records import logged
from access_records.records.verdict import ACCEPTED, DUPLICATE, HISTORY_AWAY, STORED, Verdict, deferred_by

S = TypeVar("S")


class Pending(NamedTuple, Generic[S]):
    """An item that passed the rules and is on its way into the log."""

    place: int
    """Its index in the batch."""
    shard: int
    stated: S
    """What it states."""
    item: Item
    old: bool
    """Older than the log's index reaches back: the history may hold it."""
    warnings: tuple[reasons.Warning.ValueType, ...]


Verdicts = list[Verdict | None]
"""By index in the batch; None while undecided."""


class Kin(Protocol[S]):
    """What the history holds of items of one kind, each found by its key."""

    async def digests(self, ones: Sequence[Pending[S]]) -> Mapping[bytes, Collection[bytes]]:
        """The digests under the items' keys; keys that nobody has used are left out. HistoryError."""

    async def earliest(self, ones: Sequence[Pending[S]]) -> Mapping[bytes, record_pb2.LoggedRecord]:
        """What came first under each of the items' keys. HistoryError."""

    def conflict(self, sent: S, stored: record_pb2.LoggedRecord | None) -> Verdict:
        """The verdict on an item whose key is taken, by what is stored if that can be read."""


@dataclass(frozen=True, slots=True)
class Appending(Generic[S]):
    """Appends items of one kind."""

    log: EventLog
    kin: Kin[S]

    async def append(self, pending: list[Pending[S]], verdicts: Verdicts) -> None:
        """Decides every item; what is ACCEPTED or DUPLICATE is durable on return.

        Raises LogFull when nothing could be stored for want of room, and LogUnavailable when the log did not answer:
        whether something was stored is then unknown.
        """
        pending = _judged_in_order(pending)
        old = [one for one in pending if one.old]
        if old:
            await self._settle(old, verdicts)
            pending = [one for one in pending if verdicts[one.place] is None]
        await self._append(pending, verdicts)

    async def _settle(self, old: list[Pending[S]], verdicts: Verdicts) -> None:
        """Decides those old items that the index or the history knows, or that nobody can decide now."""
        unknown: list[Pending[S]] = []
        taken: list[tuple[Pending[S], int]] = []
        for shard, ones in _by_shard(old).items():
            for one, known in zip(ones, await self.log.find(shard, [one.item.key for one in ones]), strict=True):
                if known is None:
                    unknown.append(one)
                elif one.item.digest.startswith(known.digest_prefix):
                    verdicts[one.place] = DUPLICATE
                else:
                    taken.append((one, known.offset))
        await self._conflict_with_log(taken, verdicts)
        try:
            stored = await self.kin.digests(unknown) if unknown else {}
        except HistoryError:
            for one in unknown:
                verdicts[one.place] = HISTORY_AWAY
            return
        changed: list[Pending[S]] = []
        for one in unknown:
            digests = stored.get(one.item.key)
            if digests and one.item.digest in digests:
                verdicts[one.place] = DUPLICATE
            elif digests:
                changed.append(one)
        await self._conflict_with_history(changed, verdicts)

    async def _append(self, pending: list[Pending[S]], verdicts: Verdicts) -> None:
        """Appends to every shard at once."""
        by_shard = _by_shard(pending)
        answers = await asyncio.gather(
            *(self.log.append(shard, [one.item for one in ones]) for shard, ones in by_shard.items()),
            return_exceptions=True,
        )
        failures = [answer for answer in answers if isinstance(answer, BaseException)]
        stored = len(failures) < len(answers) or any(verdict and verdict.outcome in STORED for verdict in verdicts)
        for failure in failures:
            # Refused as a whole only when nothing of it is stored, be it now or since before.
            if not stored or not isinstance(failure, LogFull | LogUnavailable):
                raise failure
        for ones, answer in zip(by_shard.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                for one in ones:
                    verdicts[one.place] = deferred_by(answer)
            else:
                await self._take(ones, answer, verdicts)

    async def _take(self, ones: list[Pending[S]], results: list[Result], verdicts: Verdicts) -> None:
        taken: list[tuple[Pending[S], int]] = []
        for one, (outcome, offset) in zip(ones, results, strict=True):
            if outcome == Outcome.ACCEPTED:
                verdicts[one.place] = Verdict(messages.OUTCOME_ACCEPTED, one.warnings) if one.warnings else ACCEPTED
            elif outcome == Outcome.DUPLICATE:
                verdicts[one.place] = DUPLICATE
            else:
                taken.append((one, offset))
        await self._conflict_with_log(taken, verdicts)

    async def _conflict_with_log(self, taken: list[tuple[Pending[S], int]], verdicts: Verdicts) -> None:
        reports: dict[tuple[int, int], bytes] = {}
        for shard in {one.shard for one, _ in taken}:
            offsets = {offset for one, offset in taken if one.shard == shard}
            try:
                found = await self.log.get_all(shard, offsets)
            except LogUnavailable:
                continue  # that it is a conflict is known; what else was stored must not be held back
            reports |= {(shard, offset): payload for offset, payload in found.items()}
        unread: list[Pending[S]] = []
        for one, offset in taken:
            payload = reports.get((one.shard, offset))
            if payload is None:
                unread.append(one)
            else:
                verdicts[one.place] = self.kin.conflict(one.stated, logged.read(payload))
        await self._conflict_with_history(unread, verdicts)

    async def _conflict_with_history(self, taken: list[Pending[S]], verdicts: Verdicts) -> None:
        if not taken:
            return
        try:
            stored = await self.kin.earliest(taken)
        except HistoryError:
            stored = {}
        for one in taken:
            verdicts[one.place] = self.kin.conflict(one.stated, stored.get(one.item.key))


def _by_shard(pending: list[Pending[S]]) -> dict[int, list[Pending[S]]]:
    found: dict[int, list[Pending[S]]] = {}
    for one in pending:
        found.setdefault(one.shard, []).append(one)
    return found


def _judged_in_order(pending: list[Pending[S]]) -> list[Pending[S]]:
    """The same, where an id that comes twice is old both times or never: the second is judged against the first."""
    aged = sum(one.old for one in pending)
    if not aged or aged == len(pending):
        return pending
    old_keys = {one.item.key for one in pending if one.old}
    return [one._replace(old=True) if one.item.key in old_keys and not one.old else one for one in pending]
