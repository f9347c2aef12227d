"""The use cases of reading: records and their revisions from the moment they were acknowledged, and a lot's records by
time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from eventlog import LogUnavailable
from history.errors import HistoryError
from mesh import paging
from mesh.caller import Caller
from mesh.errors import MeshError
from parkmesh.access.v1 import record_pb2
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.archive import Archive, RecordId, Report, Window
from access_records.progress import Progress
from access_records.records.state import State, fold
from access_records.records.states import States
from access_records.records.upload import Lots

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

    states: States
    archive: Archive
    progress: Progress
    lots: Lots

    def require(self, caller: Caller, lot_id: str, now_ms: int) -> None:
        """Raises LOT_NOT_FOUND unless the lot exists and the caller may see it."""
        if not self.lots.may_see(caller, lot_id, now_ms) or self.lots.lot(lot_id) is None:
            raise lot_not_found()

    async def one(self, lot_id: str, record_id: str) -> State:
        """The record as it is now; RECORD_NOT_FOUND when there is none, HISTORY_UNAVAILABLE when only the history could
        tell, LOG_UNAVAILABLE when the log does not answer.
        """
        found = await self.several(lot_id, [record_id])
        if not found:
            raise MeshError(reasons.ERROR_REASON_RECORD_NOT_FOUND, "There is no such record in this lot.")
        return found[record_id]

    async def several(self, lot_id: str, record_ids: Collection[str]) -> dict[str, State]:
        """The records as they are now, by id, in the order of the ids; an id without a record is left out.

        HISTORY_UNAVAILABLE and LOG_UNAVAILABLE as for `one`.
        """
        reports = await self._reports(lot_id, record_ids)
        states = ((record_id, fold(reports.get((lot_id, record_id), []))) for record_id in record_ids)
        return {record_id: state for record_id, state in states if state is not None}

    async def revisions(self, lot_id: str, record_id: str) -> list[Report]:
        """All that was ever reported under the id, by number, then as it came, each once; raises as `one` does."""
        reports = (await self._reports(lot_id, [record_id])).get((lot_id, record_id))
        if not reports:
            raise MeshError(reasons.ERROR_REASON_RECORD_NOT_FOUND, "There is no such record in this lot.")
        distinct = {(report.revision, report.log_offset): report for report in reports}
        return [distinct[place] for place in sorted(distinct)]

    async def _reports(self, lot_id: str, record_ids: Collection[str]) -> dict[RecordId, list[Report]]:
        try:
            return await self.states.reports([(lot_id, record_id) for record_id in record_ids])
        except LogUnavailable:
            raise log_unavailable() from None
        except HistoryError:
            raise history_unavailable() from None

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


def lot_not_found() -> MeshError:
    """What a caller is told of a lot that does not exist, or that is not in sight."""
    return MeshError(reasons.ERROR_REASON_LOT_NOT_FOUND, "There is no such lot, or you may not see it.")


def history_unavailable() -> MeshError:
    """What a caller is told when ClickHouse does not answer."""
    return MeshError(reasons.ERROR_REASON_HISTORY_UNAVAILABLE, "The history cannot be read now.", retry_after_ms=2_000)


def log_unavailable() -> MeshError:
    """What a caller is told when the log does not answer."""
    message = "The record log did not answer; send the same ids again."
    return MeshError(reasons.ERROR_REASON_LOG_UNAVAILABLE, message, retry_after_ms=1_000)
