"""Repairs the records in which two books differ: sends what the platform lacks, takes over what it has."""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from parkmesh.access.v1 import access_record_service_pb2 as access
from parkmesh.access.v1 import reconciliation_service_pb2 as books_pb2
from parkmesh.access.v1 import record_pb2, revision_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.record import Facts, digest_of, facts_of

from parkmesh_sdk import method as methods
from parkmesh_sdk.reconciliation.books import Books, Held
from parkmesh_sdk.reconciliation.comparison import Caller

_BATCH: Final = 1000
_STORED: Final = (access.OUTCOME_ACCEPTED, access.OUTCOME_DUPLICATE)
_PASSING: Final = (access.OUTCOME_DEFERRED, access.OUTCOME_CONFLICT)
_GROUPS: Final = (
    ("plate_number", "plate_colour", "plate_kind", "plate_state"),
    ("gate_id", "lane_id", "berth_id"),
    ("release_method", "release_reason"),
)
"""Facts that are corrected together, as RecordRevision says."""


class Winner(Enum):
    """Whose record holds where the two differ."""

    NOBODY = auto()
    """That is for people to decide: such differences are told and left."""
    PLATFORM = auto()
    """The platform's: the books take it over."""
    LOT = auto()
    """The lot's: the platform is sent a revision."""


class Step(Enum):
    """What is done about a difference."""

    NONE = auto()
    """Nothing: it takes a person, or somebody has repaired it already."""
    RESEND = auto()
    """The record is sent."""
    TAKE = auto()
    """The books take over the platform's record, or its void."""
    CORRECT = auto()
    """The platform is sent a correction."""
    VOID = auto()
    """The platform is sent a void."""
    REINSTATE = auto()
    """The platform is sent a reinstatement."""


_OF_THE_PLATFORM: Final = (Step.CORRECT, Step.VOID, Step.REINSTATE)


class Done(NamedTuple):
    """What became of a repair."""

    step: Step
    refused: str = ""
    """Why the platform refused it, by the name of an ErrorReason; empty when it did not."""
    field: str = ""
    """The JSON name of the field at fault."""


def step_of(difference: books_pb2.RecordDifference, own: Held | None, winner: Winner) -> Step:
    """What to do about a difference, by what the vendor's books hold under its id."""
    decided = {Winner.NOBODY: Step.NONE, Winner.PLATFORM: Step.TAKE}
    holds = own is not None and not own.voided
    match difference.kind:
        case books_pb2.DIFFERENCE_KIND_MISSING if holds:
            return Step.RESEND
        case books_pb2.DIFFERENCE_KIND_EXTRA if own is None:
            return Step.TAKE
        case books_pb2.DIFFERENCE_KIND_EXTRA if not holds:
            return decided.get(winner, Step.VOID)
        case books_pb2.DIFFERENCE_KIND_EXTRA | books_pb2.DIFFERENCE_KIND_DIFFERENT if holds:
            return decided.get(winner, Step.CORRECT)
        case books_pb2.DIFFERENCE_KIND_VOIDED_HERE if holds:
            return decided.get(winner, Step.REINSTATE)
        case _:
            return Step.NONE


def correction(own: Facts, platform: Facts) -> tuple[revision_pb2.RecordChanges, list[str]]:
    """The changes that make the platform's facts the vendor's, and the names of all facts that they correct."""
    differing = {
        name.removesuffix("_ms")
        for name, mine, theirs in zip(Facts._fields, own, platform, strict=True)
        if mine != theirs and name not in ("record_id", "lot_id")
    }
    for group in _GROUPS:
        if differing.intersection(group):
            differing.update(group)
    names = [name.removesuffix("_ms") for name in Facts._fields if name.removesuffix("_ms") in differing]
    changes = revision_pb2.RecordChanges()
    for name in names:
        if name == "event_time":
            changes.event_time.CopyFrom(_time(own.event_time_ms))
        else:
            setattr(changes, name, getattr(own, name))
    return changes, names


class Repairing:
    """Repairs differences of one lot.

    author: who decides, as RecordRevision has it; made_ms: when, in milliseconds since 1970 UTC.
    """

    def __init__(self, caller: Caller, lot_id: str, books: Books, *, winner: Winner, author: str, made_ms: int) -> None:
        self._caller = caller
        self._lot_id = lot_id
        self._books = books
        self._winner = winner
        self._author = author
        self._made_ms = made_ms

    async def repair(self, differences: Mapping[str, books_pb2.RecordDifference]) -> dict[str, Done]:
        """Does what can be done about each, and tells what that was. It may be repeated without harm.

        PlatformError when a call as a whole is refused.
        """
        held = await self._books.held(differences.keys())
        steps = {
            record_id: step_of(difference, held.get(record_id), self._winner)
            for record_id, difference in differences.items()
        }
        done = {record_id: Done(step) for record_id, step in steps.items()}
        resent = [held[record_id].record for record_id, step in steps.items() if step is Step.RESEND]
        done |= await self._resend(resent)
        stored = await self._stored(
            record_id for record_id, step in steps.items() if step not in (Step.NONE, Step.RESEND)
        )
        revisions = []
        for record_id, platform in stored.items():
            if steps[record_id] is Step.TAKE:
                await self._books.take(platform)
            elif revision := self._revision(steps[record_id], held[record_id].record, platform):
                revisions.append(revision)
        return done | await self._revise(revisions, steps)

    async def _resend(self, records: list[record_pb2.AccessRecord]) -> dict[str, Done]:
        done: dict[str, Done] = {}
        for start in range(0, len(records), _BATCH):
            request = access.UploadRecordsRequest(records=records[start : start + _BATCH])
            for record in request.records:
                record.resend = True
            answer = await self._caller.call(methods.UPLOAD_RECORDS, request)
            done |= {item.record_id: _judged(Step.RESEND, item) for item in answer.items}
        return done

    async def _revise(self, revisions: list[revision_pb2.RecordRevision], steps: Mapping[str, Step]) -> dict[str, Done]:
        done: dict[str, Done] = {}
        for start in range(0, len(revisions), _BATCH):
            request = access.UploadRevisionsRequest(revisions=revisions[start : start + _BATCH])
            answer = await self._caller.call(methods.UPLOAD_REVISIONS, request)
            done |= {item.record_id: _judged(steps[item.record_id], item) for item in answer.items}
        return done

    async def _stored(self, record_ids: Iterable[str]) -> dict[str, record_pb2.StoredRecord]:
        """What the platform holds under these ids, by id; ids without a record are left out."""
        wanted = list(record_ids)
        found: dict[str, record_pb2.StoredRecord] = {}
        for start in range(0, len(wanted), _BATCH):
            request = access.BatchGetRecordsRequest(lot_id=self._lot_id, record_ids=wanted[start : start + _BATCH])
            answer = await self._caller.call(methods.BATCH_GET_RECORDS, request)
            found |= {stored.record.record_id: stored for stored in answer.records}
        return found

    def _revision(
        self, step: Step, own: record_pb2.AccessRecord, platform: record_pb2.StoredRecord
    ) -> revision_pb2.RecordRevision | None:
        """The revision that makes the platform's record the lot's; None when it is that already."""
        revision = revision_pb2.RecordRevision(
            lot_id=self._lot_id,
            record_id=own.record_id,
            revision=platform.revision + 1,
            reason=record_pb2.REVISION_REASON_RECONCILED,
            author=self._author,
            made_time=_time(self._made_ms),
        )
        if step is Step.CORRECT:
            mine = facts_of(own)
            if digest_of(mine).hex() == platform.digest:
                return None
            changes, names = correction(mine, facts_of(platform.record))
            revision.kind = record_pb2.REVISION_KIND_CORRECTION
            revision.changes.CopyFrom(changes)
            revision.update_mask.paths.extend(names)
            return revision
        if platform.voided == (step is Step.VOID):
            return None
        revision.kind = record_pb2.REVISION_KIND_VOID if step is Step.VOID else record_pb2.REVISION_KIND_REINSTATEMENT
        return revision


def _judged(step: Step, item: access.ItemResult) -> Done:
    # What another has just written is seen by the next comparison, and what was put off is sent again by it.
    if item.outcome in _STORED or item.outcome in _PASSING:
        return Done(step)
    field = item.field.rpartition(".")[2]
    return Done(step, reasons.ErrorReason.Name(item.reason).removeprefix("ERROR_REASON_"), field)


def _time(epoch_ms: int) -> Timestamp:
    made = Timestamp()
    made.FromMilliseconds(epoch_ms)
    return made
