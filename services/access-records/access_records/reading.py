"""The use cases of reading: one record from the moment it was acknowledged, and a lot's records by time."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from eventlog import EventLog, LogUnavailable, item_key
from history.errors import HistoryError
from mesh import paging
from mesh.caller import Caller
from mesh.errors import MeshError
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records import logged
from access_records.archive import Archive, Window
from access_records.progress import Progress
from access_records.upload import Lots

_PLACE: Final = ("[0-9]{1,13}", paging.ID)
"""An event's time in epoch milliseconds, and a record."""


class Page(NamedTuple):
    """Some records of a lot."""

    records: list[record_pb2.LoggedRecord]
    next_token: str
    complete_until_ms: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads records for callers who may see them."""

    log: EventLog
    archive: Archive
    progress: Progress
    lots: Lots

    def require(self, caller: Caller, lot_id: str, now_ms: int) -> None:
        """Raises LOT_NOT_FOUND unless the lot exists and the caller may see it."""
        if not self.lots.may_see(caller, lot_id, now_ms) or self.lots.lot(lot_id) is None:
            raise MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "There is no such lot, or you may not see it.")

    async def one(self, lot_id: str, record_id: str) -> record_pb2.LoggedRecord:
        """The record; RECORD_NOT_FOUND when there is none, HISTORY_UNAVAILABLE when only the history could
        tell, LOG_UNAVAILABLE when the log does not answer.
        """
        shard = self.log.shard_of(lot_id)
        try:
            (found,) = await self.log.find(shard, [item_key(lot_id, record_id)])
            payload = await self.log.get(shard, found.offset) if found else None
        except LogUnavailable:
            raise log_unavailable() from None
        if payload is not None:
            return logged.read(payload)
        try:
            reports = await self.archive.first_reports([(lot_id, record_id)])
        except HistoryError:
            raise history_unavailable() from None
        record = reports.get((lot_id, record_id))
        if record is None:
            raise MeshError(reasons.ERROR_REASON_RECORD_NOT_FOUND, "There is no such record in this lot.")
        return record

    async def page(self, window: Window, page_size: int, page_token: str, now_ms: int) -> Page:
        """The page behind the token; HISTORY_UNAVAILABLE or LOG_UNAVAILABLE when either does not answer."""
        arguments = tuple(map(str, window))
        after: tuple[int, str] | None = None
        if page_token:
            event_ms, record_id = paging.decode(page_token, arguments, _PLACE)
            after = (int(event_ms), record_id)
        try:
            complete_until_ms = await self.progress.complete_until_ms(window.lot_id, now_ms)
            records = await self.archive.page(window, after, page_size + 1)
        except HistoryError:
            raise history_unavailable() from None
        except LogUnavailable:
            raise log_unavailable() from None
        token = ""
        if len(records) > page_size:
            records.pop()
            token = paging.encode(arguments, (str(records[-1].event_ms), records[-1].record_id))
        return Page(records, token, complete_until_ms)


def history_unavailable() -> MeshError:
    """What a caller is told when ClickHouse does not answer."""
    return MeshError(reasons.ERROR_REASON_HISTORY_UNAVAILABLE, "The history cannot be read now.", retry_after_ms=2_000)


def log_unavailable() -> MeshError:
    """What a caller is told when the log does not answer."""
    message = "The record log did not answer; send the same ids again."
    return MeshError(reasons.ERROR_REASON_LOG_UNAVAILABLE, message, retry_after_ms=1_000)
