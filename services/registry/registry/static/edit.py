"""Edits as callers state them (AIP-134): new values, a mask, and the state they were made on."""

from collections.abc import Collection, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mesh.errors import FieldViolation

from registry.errors import EtagMismatch, InvalidFields
from registry.storage import revisions
from registry.storage.kinds import BY_MESSAGE, SET_BY_STORE, Kind, M
from registry.storage.reader import Held


def edited(current: M, patch: M, mask: FieldMask, *, fixed: Collection[str], path: str) -> M:
    """The current object with the masked fields of the patch; without a mask, with all fields that the patch has.

    A mask that names a field which there is not, or one that is `fixed`, is refused: InvalidFields. Without a mask,
    fixed fields that the patch has are passed over, so that an object that was read can be sent back with its changes;
    but an object's id must be its own.
    """
    _same_id(BY_MESSAGE[type(current)], current, patch, path)
    fixed = {*fixed, *SET_BY_STORE}
    if not mask.paths:
        fields = [field.name for field, _ in patch.ListFields() if field.name not in fixed]
        return revisions.with_fields(current, fields, patch)
    names = dict.fromkeys(mask.paths)
    found = dict.fromkeys(violation for name in names if (violation := _wrong(current, name, fixed)))
    if found:
        raise InvalidFields(list(found))
    return revisions.with_fields(current, names, patch)


def check_etag(etag: str, held: Held[M]) -> None:
    """EtagMismatch when an etag was sent and is not that of the object as it is now."""
    if etag and etag != held.etag:
        raise EtagMismatch(held.etag)


def left_out(message: Message, fields: Sequence[str], path: str) -> list[FieldViolation]:
    """What is wrong with an object to be created that brings fields which the platform sets."""
    present = {field.name for field, _ in message.ListFields()}
    return [
        FieldViolation(
            f"{path}.{message.DESCRIPTOR.fields_by_name[name].json_name}",
            "left_out",
            "must be left out: the platform sets it",
            "不得填写：由平台生成",
        )
        for name in fields
        if name in present
    ]


def _same_id(kind: Kind[M], current: M, patch: M, path: str) -> None:
    found = [
        FieldViolation(
            f"{path}.{current.DESCRIPTOR.fields_by_name[name].json_name}",
            "id.same",
            "must be left out or be the one of the path",
            "应省略，或与路径中的标识一致",
        )
        for name in kind.ids
        if getattr(patch, name) not in ("", getattr(current, name))
    ]
    if found:
        raise InvalidFields(found)


def _wrong(current: Message, name: str, fixed: Collection[str]) -> FieldViolation | None:
    if name not in current.DESCRIPTOR.fields_by_name:
        return FieldViolation(
            "updateMask", "update_mask.unknown", "must name top-level fields of the object", "应为对象的顶层字段名"
        )
    if name in fixed:
        return FieldViolation(
            "updateMask", "update_mask.fixed", "must not name fields that the platform sets", "不得包含由平台设置的字段"
        )
    return None
