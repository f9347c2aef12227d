"""The gRPC face of coverage: convert, list, convert."""

from eventlog import LogUnavailable
from history.errors import HistoryError
from mesh import caller, paging
from mesh.boundary import Context
from mesh.caller import CallerKind
from mesh.clock import Clock
from mesh.instants import time_of
from parkmesh.access.v1 import coverage_service_pb2 as messages
from parkmesh.access.v1 import coverage_service_pb2_grpc as rpc

from access_records.coverage.coverage import Coverage, LotCoverage, Wanted
from access_records.records.reading import history_unavailable, log_unavailable


class CoverageServicer(rpc.CoverageServiceServicer):
    """Lists of coverage over gRPC."""

    def __init__(self, coverage: Coverage, clock: Clock) -> None:
        self._coverage = coverage
        self._clock = clock

    async def ListLotCoverage(
        self, request: messages.ListLotCoverageRequest, context: Context
    ) -> messages.ListLotCoverageResponse:
        """See the proto."""
        request.DiscardUnknownFields()
        who = caller.current()
        wanted = Wanted(
            states=frozenset(request.coverage_states),
            division_code=request.division_code,
            lot_state=request.lot_state,
            any_scope=request.include_out_of_scope,
        )
        hours = request.silent_after_hours if request.HasField("silent_after_hours") else None
        size = paging.page_size(request.page_size)
        (after,) = paging.decode(request.page_token, request, (paging.ID,)) or ("",)
        try:
            page = await self._coverage.page(who, wanted, hours, after, size, self._clock.now_ms())
        except HistoryError:
            raise history_unavailable() from None
        except LogUnavailable:
            raise log_unavailable() from None
        return messages.ListLotCoverageResponse(
            lots=[_lot(one, page.as_of_ms, with_vendors=who.kind is not CallerKind.VENDOR) for one in page.lots],
            next_page_token=paging.encode(request, (page.lots[-1].lot.lot_id,)) if page.more else "",
            as_of_time=time_of(page.as_of_ms),
            silent_after_hours=page.silent_after_hours,
        )


def _lot(found: LotCoverage, as_of_ms: int, *, with_vendors: bool) -> messages.LotCoverage:
    answer = messages.LotCoverage(
        lot_id=found.lot.lot_id,
        name=found.lot.name,
        division_code=found.lot.division_code,
        lot_state=found.lot.state,
        coverage_state=found.state,
    )
    if with_vendors:
        answer.granted_vendors = found.granted_vendors
    if found.last_ms is not None:
        answer.last_accept_time.CopyFrom(time_of(found.last_ms))
        answer.age_seconds = max(0, as_of_ms - found.last_ms) // 1000
    return answer
