"""What can be exported: published views, and of them what each kind of caller may take."""

from collections.abc import Sequence, Set
from typing import Final, NamedTuple

from mesh.caller import CallerKind
from parkmesh.access.v1 import export_pb2


class View(NamedTuple):
    """A published view."""

    name: str
    """In the database `parkmesh`."""
    time: str
    """The column by which its rows are chosen and come, an hour at a time; empty when they have no time."""
    order: str
    """How the rows of an hour come."""


VIEWS: Final = {
    export_pb2.EXPORT_VIEW_RECORDS: View("records", "event_time", "lot_id, event_time, record_id"),
    export_pb2.EXPORT_VIEW_LOTS: View("lots", "", "lot_id"),
    export_pb2.EXPORT_VIEW_VISITS: View("visits", "anchor_time", "lot_id, anchor_time, record_id"),
}
"""The allow-list. Every view of it has a column `lot_id` and no clear plate."""

_FOR_ANALYSTS: Final = frozenset({"plate_key"})
"""The pseudonym joins what is known of one vehicle across lots: that is the platform's own analysts' business."""


def allowed(columns: Sequence[str], kind: CallerKind) -> list[str]:
    """Of a view's columns those that such a caller may take."""
    hidden: Set[str] = frozenset() if kind is CallerKind.ANALYST else _FOR_ANALYSTS
    return [column for column in columns if column not in hidden]
