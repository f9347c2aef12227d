"""Edits as callers state them (AIP-134): new values, a mask, and the state they were made on."""

from collections.abc import Collection, Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mesh.errors import FieldViolation

from registry.errors import EtagMismatch, InvalidFields
from registry.forms.violation import json_path
from registry.storage import revisions
from registry.storage.kinds import BY_MESSAGE, SET_BY_STORE, Kind, M
from registry.storage.reader import Held

_OF_THE_PATH: Final = ("must be left out or be the one of the path", "应省略，或与路径中的标识一致")
_AS_IT_IS: Final = (
    "must be left out or as it is: this method does not change it",
    "应省略或保持不变：此方法不能修改该字段",
)


def edited(current: M, patch: M, mask: FieldMask, *, fixed: Collection[str], derived: Collection[str], path: str) -> M:
    """The current object with the masked fields of the patch; without a mask, with all fields that the patch has.

    A mask that names a field which there is not, one that is `fixed` (changed otherwise, or never, as ids are) or one
    that the platform derives is refused: InvalidFields. Without a mask an object that was read can be sent back with
    its changes: fixed fields must be left out or as they are, and derived ones are passed over.
    """
    _refuse_changed(BY_MESSAGE[type(current)], current, patch, fixed, path)
    fixed = {*BY_MESSAGE[type(current)].ids, *fixed, *derived, *SET_BY_STORE}
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
            json_path(path, message, name),
            "left_out",
            "must be left out: the platform sets it",
            "不得填写：由平台生成",
        )
        for name in fields
        if name in present
    ]


def _refuse_changed(kind: Kind[M], current: M, patch: M, fixed: Collection[str], path: str) -> None:
    ids = [_fixed(path, current, name, "id.same", *_OF_THE_PATH) for name in kind.ids if _differs(current, patch, name)]
    others = [
        _fixed(path, current, name, "field.fixed", *_AS_IT_IS) for name in fixed if _differs(current, patch, name)
    ]
    if ids or others:
        raise InvalidFields([*ids, *others])


def _differs(current: Message, patch: Message, name: str) -> bool:
    stated = getattr(patch, name)
    return bool(stated) and stated != getattr(current, name)


def _fixed(path: str, current: Message, name: str, rule: str, english: str, chinese: str) -> FieldViolation:
    return FieldViolation(json_path(path, current, name), rule, english, chinese)


def _wrong(current: Message, name: str, fixed: Collection[str]) -> FieldViolation | None:
    if name not in current.DESCRIPTOR.fields_by_name:
        return FieldViolation(
            "updateMask", "update_mask.unknown", "must name top-level fields of the object", "应为对象的顶层字段名"
        )
    if name in fixed:
        return FieldViolation(
            "updateMask",
            "update_mask.fixed",
            "must not name fields that this method cannot change",
            "不得包含此方法不能修改的字段",
        )
    return None
