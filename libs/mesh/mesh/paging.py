"""Page tokens: where a list goes on, good only for the list that gave them.

A token carries a digest over the list's arguments and the place, so that a changed one, or one from another list, is
refused. The digest is no secret: who forges one gets another place of a
list that they may read anyway. A place is seen by the caller and stands in URLs: never put a plate into it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError, Message
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_FIELD, ERROR_REASON_INVALID_PAGE_TOKEN
from parkmesh.mesh.v1.page_token_pb2 import PageToken

from mesh import wording
from mesh.errors import FieldViolation, MeshError

Arguments = Message | Sequence[str]
"""What makes the list: the request itself (its page_size and page_token do not count), or texts."""

ID: Final = "[A-Za-z0-9_-]{1,64}"
"""The form of an id in a place."""

_DEFAULT = 100
_MAXIMUM = 1000


def encode(arguments: Arguments, last_key: Sequence[str]) -> str:
    """The token that goes on after `last_key`; URL-safe."""
    token = PageToken(arguments=_digest(arguments, last_key), last_key=last_key)
    return base64.urlsafe_b64encode(token.SerializeToString(deterministic=True)).decode().rstrip("=")


def decode(token: str, arguments: Arguments, forms: Sequence[str] = ()) -> tuple[str, ...]:
    """The last key of the page before; empty when the token is. MeshError(INVALID_PAGE_TOKEN) when it belongs to
    another list or is not one of ours.

    `forms` are patterns, one for each part of the key: a token with any other key is refused, for whoever knows how
    tokens are made can make one. Without them the key may be of any length and form.
    """
    if not token:
        return ()
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        place = PageToken.FromString(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, DecodeError):
        raise _refused() from None
    if not hmac.compare_digest(place.arguments, _digest(arguments, place.last_key)):
        raise _refused()
    if forms and not _in_form(place.last_key, forms):
        raise _refused()
    return tuple(place.last_key)


def page_size(requested: int, default: int = _DEFAULT, maximum: int = _MAXIMUM) -> int:
    """How many to give: 0 asks for the default, more than the maximum for the maximum. MeshError(INVALID_FIELD) when it
    is negative.
    """
    if requested < 0:
        rule = FieldViolation("pageSize", "int32.gte", *wording.of_rule("int32.gte", {"gte": 0}))
        raise MeshError(ERROR_REASON_INVALID_FIELD, "A page size cannot be negative.", fields=[rule])
    return min(requested or default, maximum)


def _in_form(key: Sequence[str], forms: Sequence[str]) -> bool:
    return len(key) == len(forms) and all(map(re.fullmatch, forms, key))


def _digest(arguments: Arguments, last_key: Sequence[str]) -> bytes:
    if isinstance(arguments, Message):
        request = type(arguments)()
        request.CopyFrom(arguments)
        for field in ("page_size", "page_token"):
            if field in request.DESCRIPTOR.fields_by_name:
                request.ClearField(field)
        parts = [request.DESCRIPTOR.full_name.encode(), request.SerializeToString(deterministic=True)]
    else:
        parts = [b"", *(argument.encode() for argument in arguments)]
    digest = hashlib.sha256(b"parkmesh page token 1")
    for part in [str(len(parts)).encode(), *parts, *(key.encode() for key in last_key)]:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()[:16]


def _refused() -> MeshError:
    return MeshError(
        ERROR_REASON_INVALID_PAGE_TOKEN, "The page token does not belong to this list: list from the start."
    )
