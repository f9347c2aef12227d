"""How two copies of a lot's books differ, record by record: paired by id over the whole lot, then classified."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from parkmesh.access.v1 import reconciliation_service_pb2 as messages
from parkmesh.errors.v1 import error_reason_pb2 as reasons
from vocabulary.beijing import Bounds

Kind: TypeAlias = messages.DifferenceKind.ValueType
Action: TypeAlias = messages.DifferenceAction.ValueType

ACTIONS: Final[Mapping[Kind, Action]] = {
    messages.DIFFERENCE_KIND_MISSING: messages.DIFFERENCE_ACTION_RESEND,
    messages.DIFFERENCE_KIND_EXTRA: messages.DIFFERENCE_ACTION_PULL,
    messages.DIFFERENCE_KIND_DIFFERENT: messages.DIFFERENCE_ACTION_CORRECT,
    messages.DIFFERENCE_KIND_VOIDED_HERE: messages.DIFFERENCE_ACTION_VOID,
    messages.DIFFERENCE_KIND_REFUSED: messages.DIFFERENCE_ACTION_FIX,
    messages.DIFFERENCE_KIND_EXPECTED: messages.DIFFERENCE_ACTION_WAIT,
}
"""What a vendor can do about each kind."""


class Held(NamedTuple):
    """What the platform holds under an id."""

    digest: bytes
    event_ms: int
    revision: int = 0
    revise_ms: int = 0
    """When the last revision was accepted; 0 when there is none."""
    voided: bool = False


class Refusal(NamedTuple):
    """A refusal under an id."""

    digest: bytes
    """Of what was sent: the record, or the revision."""
    revision: int
    """0 for a record."""
    reason: reasons.ErrorReason.ValueType
    field: str
    note_ms: int


class Difference(NamedTuple):
    """A record in which the books differ."""

    record_id: str
    kind: Kind
    held: Held | None = None
    """What the platform holds; None for nothing."""
    fields: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def action(self) -> Action:
        """What the vendor can do about it."""
        return ACTIONS[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the platform knows of the ids in question, as of one position."""

    window: Bounds
    settled_ms: int
    here: Mapping[str, Collection[Held]]
    """What holds in the window, by id; two under one id when it was used again."""
    elsewhere: Mapping[str, Held] = field(default_factory=dict)
    """What is known, in the whole lot, of ids that the vendor sent and that are not in the window as sent."""
    refusals: Mapping[str, Collection[Refusal]] = field(default_factory=dict)
    """By id: of the record as sent, and the last of each revision."""
    on_their_way: Collection[str] = ()
    """Ids under which something was accepted that these books do not hold yet."""
    explain: Callable[[str, bytes], tuple[str, ...]] = lambda record_id, digest: ()
    """The facts in which the platform's record differs from one with the digest."""


def unmatched(vendor: Mapping[str, bytes], here: Mapping[str, Collection[Held]]) -> list[str]:
    """The ids that the vendor sent and that the window does not hold as sent."""
    return [
        record_id
        for record_id, digest in vendor.items()
        if all(held.digest != digest for held in here.get(record_id, ()))
    ]


def classify(vendor: Mapping[str, bytes], known: Known) -> list[Difference]:
    """Each record in which the books differ, once, by id in the order of its bytes (ids are ASCII)."""
    found = {record_id: _theirs(record_id, vendor[record_id], known) for record_id in unmatched(vendor, known.here)}
    for record_id, helds in known.here.items():
        if record_id not in found:
            extra = [held for held in helds if held.digest != vendor.get(record_id)]
            # Used twice in one window: what the vendor has of it is here, and so is another one.
            twice = record_id in vendor
            if extra:
                found[record_id] = _ours(record_id, extra[0], known, twice=twice)
    return [found[record_id] for record_id in sorted(found)]


def _theirs(record_id: str, digest: bytes, known: Known) -> Difference:
    """A record of the vendor's that the window does not hold as sent."""
    refusals = known.refusals.get(record_id, ())
    here = known.here.get(record_id)
    held = next(iter(here)) if here else known.elsewhere.get(record_id)
    if record_id in known.on_their_way:
        return Difference(record_id, messages.DIFFERENCE_KIND_EXPECTED, held)
    if held is None:
        sent = [one for one in refusals if one.revision == 0 and one.digest == digest]
        if sent:
            return Difference(record_id, messages.DIFFERENCE_KIND_REFUSED, refusal=_last(sent))
        late = known.window.end_ms > known.settled_ms
        kind = messages.DIFFERENCE_KIND_EXPECTED if late else messages.DIFFERENCE_KIND_MISSING
        return Difference(record_id, kind)
    if _unsettled(held, known.settled_ms):
        return Difference(record_id, messages.DIFFERENCE_KIND_EXPECTED, held)
    next_ones = [one for one in refusals if one.revision > held.revision]
    if next_ones:
        return Difference(record_id, messages.DIFFERENCE_KIND_REFUSED, held, refusal=_last(next_ones))
    if held.voided:
        return Difference(record_id, messages.DIFFERENCE_KIND_VOIDED_HERE, held)
    fields = known.explain(record_id, digest)
    return Difference(record_id, messages.DIFFERENCE_KIND_DIFFERENT, held, fields)


def _ours(record_id: str, held: Held, known: Known, *, twice: bool) -> Difference:
    """A record that holds in the window and that the vendor did not send for it."""
    if _unsettled(held, known.settled_ms) or record_id in known.on_their_way:
        return Difference(record_id, messages.DIFFERENCE_KIND_EXPECTED, held)
    kind = messages.DIFFERENCE_KIND_DIFFERENT if twice else messages.DIFFERENCE_KIND_EXTRA
    return Difference(record_id, kind, held)


def _last(refusals: Collection[Refusal]) -> Refusal:
    return max(refusals, key=lambda one: one.note_ms)


def _unsettled(held: Held, settled_ms: int) -> bool:
    return held.event_ms >= settled_ms or held.revise_ms >= settled_ms


def differs(found: Iterable[Difference]) -> bool:
    """Whether any of them is more than expected."""
    return any(one.kind != messages.DIFFERENCE_KIND_EXPECTED for one in found)
