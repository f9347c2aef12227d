"""What requests have in common: where a page begins, from which moment to look, when a change became true."""

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from mesh import paging
from mesh.errors import MeshError
from mesh.instants import ms_of
from parkmesh.errors.v1.error_reason_pb2 import ERROR_REASON_INVALID_PAGE_TOKEN

from registry.errors import InvalidFields
from registry.forms.validity import ValidityRule
from registry.forms.violation import broken
from registry.static.moments import Moment


def place(request: Any) -> tuple[str, int]:
    """After which key the page begins, and how many it holds."""
    after = paging.decode(request.page_token, request)
    if any("\0" in text for text in after):
        raise _refused()
    return (after[0] if after else ""), paging.page_size(request.page_size)


def numbered_place(request: Any) -> tuple[int | None, int]:
    """The same of a list by number: after which number, None for the first page. MeshError(INVALID_PAGE_TOKEN)."""
    after, size = place(request)
    if not after:
        return None, size
    # Whoever knows how tokens are made can make one with another place.
    if not re.fullmatch("[0-9]{1,18}", after, re.ASCII):
        raise _refused()
    return int(after), size


def next_token(request: Message, size: int, keys: Sequence[str]) -> str:
    """The token of the next page; empty when one more than the page holds was asked for and not found."""
    return paging.encode(request, keys[size - 1 : size]) if len(keys) > size else ""


def moment(request: Any) -> Moment:
    """From where to look."""
    return Moment(instant(request, "as_of_time"), instant(request, "known_time"))


def effective(request: Any) -> int | None:
    """When the change became true, in epoch milliseconds; None: now."""
    return instant(request, "effective_time")


def instant(request: Any, field: str) -> int | None:
    """The time in a field, in epoch milliseconds; None when it was not sent. InvalidFields when it is finer."""
    if not request.HasField(field):
        return None
    time: Timestamp = getattr(request, field)
    if time.nanos % 1_000_000:
        name = request.DESCRIPTOR.fields_by_name[field].json_name
        raise InvalidFields([broken(name, ValidityRule.MILLISECONDS)])
    return ms_of(time)


def _refused() -> MeshError:
    return MeshError(
        ERROR_REASON_INVALID_PAGE_TOKEN, "The page token does not belong to this list: list from the start."
    )
