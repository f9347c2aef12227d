"""What one revision states, as plain values: the facts that it corrects, and the digest that tells two apart."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from mesh.instants import ms_of
from parkmesh.access.v1 import record_pb2, revision_pb2
from vocabulary.digest import Layout
from vocabulary.record import Facts

CORRECTABLE: Final = tuple(field.name for field in revision_pb2.RecordChanges.DESCRIPTOR.fields)
"""The facts that a correction can name, in the order of the record."""
GROUPS: Final = (
    frozenset({"plate_number", "plate_colour", "plate_kind", "plate_state"}),
    frozenset({"gate_id", "lane_id", "berth_id"}),
    frozenset({"release_method", "release_reason"}),
)
"""What belongs together is corrected together, so that each group is right by itself whatever else was revised."""

_FACT: Final[Mapping[str, str]] = {name: name for name in CORRECTABLE} | {"event_time": "event_time_ms"}
LAYOUT: Final = Layout(
    "parkmesh.access.revision/1",
    (
        "lot_id",
        "record_id",
        "revision",
        "kind",
        "fields",
        *(_FACT[name] for name in CORRECTABLE),
        "reason",
        "reason_text",
        "author",
        "evidence_ids",
        "made_time_ms",
    ),
)
"""The canonical text of a revision: docs/canonical-text.md."""


class Revised(NamedTuple):
    """What a revision states."""

    lot_id: str
    record_id: str
    revision: int
    kind: int
    fields: tuple[str, ...]
    """The facts that it corrects, in the order of CORRECTABLE."""
    facts: Facts
    """Those facts; all others are empty."""
    reason: int
    reason_text: str
    author: str
    evidence_ids: tuple[str, ...]
    made_ms: int


def revised_of(revision: revision_pb2.RecordRevision) -> Revised:
    """What a revision states. Fields that its mask names and that no correction can name come last, as they are."""
    changes = revision.changes
    named = set(revision.update_mask.paths)
    if not named:
        named = {name for name in CORRECTABLE if _is_stated(changes, name)}
        for group in GROUPS:
            if group & named:
                named |= group
    fields = (*(name for name in CORRECTABLE if name in named), *sorted(named.difference(CORRECTABLE)))
    values: dict[str, Any] = {
        _FACT[name]: _value(changes, name) for name in fields if name in CORRECTABLE and _is_stated(changes, name)
    }
    return Revised(
        revision.lot_id,
        revision.record_id,
        revision.revision,
        revision.kind,
        fields,
        EMPTY._replace(record_id=revision.record_id, lot_id=revision.lot_id, **values),
        revision.reason,
        revision.reason_text,
        revision.author,
        tuple(revision.evidence_ids),
        ms_of(revision.made_time),
    )


def stray(revision: revision_pb2.RecordRevision, fields: Sequence[str]) -> str:
    """A fact that `changes` holds and that is not among the fields; empty when there is none."""
    return next((name for name in CORRECTABLE if name not in fields and _is_stated(revision.changes, name)), "")


def digest_of(revised: Revised) -> bytes:
    """SHA-256 over the canonical text of a revision: 32 bytes."""
    return sha256(canonical_of(revised)).digest()


def canonical_of(revised: Revised) -> bytes:
    """The canonical text of a revision; what is empty or 0 is left out."""
    values: list[str | int] = [
        revised.lot_id,
        revised.record_id,
        revised.revision,
        revised.kind,
        ",".join(revised.fields),
        *(getattr(revised.facts, _FACT[name]) for name in CORRECTABLE),
        revised.reason,
        revised.reason_text,
        revised.author,
        ",".join(revised.evidence_ids),
        revised.made_ms,
    ]
    return LAYOUT.canonical([value or None for value in values])


def logged_of(revised: Revised, digest: bytes, accept_ms: int) -> record_pb2.LoggedRecord:
    """The revision as the log keeps it, without what is derived from a plate and without who sent it."""
    facts = revised.facts
    message = record_pb2.LoggedRecord(
        record_id=revised.record_id,
        lot_id=revised.lot_id,
        revision=revised.revision,
        revision_kind=revised.kind,  # type: ignore[arg-type]  # checked by the proto's rules
        revised_fields=revised.fields,
        reason=revised.reason,  # type: ignore[arg-type]
        reason_text=revised.reason_text,
        author=revised.author,
        evidence_ids=revised.evidence_ids,
        made_ms=revised.made_ms,
        accept_ms=accept_ms,
        digest=digest,
    )
    for name in revised.fields:
        if name == "event_time":
            message.event_ms = facts.event_time_ms
            message.event_time.FromMilliseconds(facts.event_time_ms)
        else:
            setattr(message, name, getattr(facts, name))
    return message


def revised_from(logged: record_pb2.LoggedRecord) -> Revised:
    """What a revision states, from what the log or the history keeps of it."""
    values: dict[str, Any] = {
        _FACT[name]: logged.event_ms if name == "event_time" else getattr(logged, name)
        for name in logged.revised_fields
    }
    return Revised(
        logged.lot_id,
        logged.record_id,
        logged.revision,
        logged.revision_kind,
        tuple(logged.revised_fields),
        EMPTY._replace(record_id=logged.record_id, lot_id=logged.lot_id, **values),
        logged.reason,
        logged.reason_text,
        logged.author,
        tuple(logged.evidence_ids),
        logged.made_ms,
    )


EMPTY: Final = Facts("", "", 0, 0, "", 0, 0, 0, 0, "", "", "", "", "", 0, 0, "")
"""No facts at all."""


def _is_stated(changes: revision_pb2.RecordChanges, name: str) -> bool:
    return changes.HasField("event_time") if name == "event_time" else bool(getattr(changes, name))


def _value(changes: revision_pb2.RecordChanges, name: str) -> str | int:
    if name == "event_time":
        return ms_of(changes.event_time)
    value: str | int = getattr(changes, name)
    return value
