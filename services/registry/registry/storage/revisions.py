"""What happens to one object over time, as pure functions: which fields a change touches, and what was true when.

An object's state at an instant is the fold of its changes in the order in which they became true (effective time, then
number), each replacing the top-level fields that it names. A change that is reported late thus takes its place in the
past and leaves alone what became true after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from registry.storage.kinds import SET_BY_STORE

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Revision(Generic[M]):
    """One change of an object."""

    number: int
    effective_ms: int
    """When it became true."""
    report_ms: int
    """When it was reported."""
    fields: tuple[str, ...]
    """The fields that it changed."""
    after: M
    """The object with the change, as it was when that became true; of it, only the values of `fields` count."""


def bare(message: M) -> M:
    """A copy without what follows from the object's row, and without fields that this program does not know."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    for field in SET_BY_STORE:
        if field in copy.DESCRIPTOR.fields_by_name:
            copy.ClearField(field)
    return copy


def changed_fields(before: M | None, after: M) -> tuple[str, ...]:
    """The top-level fields in which the two differ, in the proto's order; of a new object, those that it has."""
    empty = type(after)() if before is None else before
    return tuple(field.name for field in after.DESCRIPTOR.fields if _differs(empty, after, field.name))


def with_fields(message: M, fields: Iterable[str], values: M) -> M:
    """A copy with these top-level fields taken from `values`; a field that `values` lacks is cleared."""
    copy = type(message)()
    copy.CopyFrom(message)
    for name in fields:
        field = message.DESCRIPTOR.fields_by_name[name]
        copy.ClearField(name)
        if field.is_repeated:
            getattr(copy, name).MergeFrom(getattr(values, name))
        elif field.message_type:
            if values.HasField(name):
                getattr(copy, name).CopyFrom(getattr(values, name))
        elif not field.has_presence or values.HasField(name):
            setattr(copy, name, getattr(values, name))
    return copy


def state_at(revisions: Sequence[Revision[M]], as_of_ms: int | None, known_ms: int | None) -> M | None:
    """The object as it was at an instant, by what had been reported until another; None when it was not there yet.

    None for an instant: no bound.
    """
    counted = [
        revision
        for revision in revisions
        if (as_of_ms is None or revision.effective_ms <= as_of_ms)
        and (known_ms is None or revision.report_ms <= known_ms)
    ]
    if not counted:
        return None
    first, *others = sorted(counted, key=lambda revision: (revision.effective_ms, revision.number))
    # Of what replaces a field, only the last counts: an object that changes every minute is read as fast as any other.
    last = {field: place for place, revision in enumerate(others) for field in revision.fields}
    state = first.after
    for place in sorted(set(last.values())):
        state = with_fields(state, [field for field in last if last[field] == place], others[place].after)
    return state


def written(message: Message) -> str:
    """The object as the history keeps it: JSON by the proto's names, readable without this program."""
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, indent=None, ensure_ascii=False, sort_keys=True
    )


def read(text: str, message: type[M]) -> M:
    """The object that was written."""
    return json_format.Parse(text, message())


def _differs(before: Message, after: Message, name: str) -> bool:
    field = after.DESCRIPTOR.fields_by_name[name]
    if field.has_presence and before.HasField(name) != after.HasField(name):
        return True
    return bool(getattr(before, name) != getattr(after, name))
