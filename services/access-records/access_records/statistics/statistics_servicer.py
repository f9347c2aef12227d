"""The gRPC face of statistics: convert, ask, give."""

from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

from eventlog import LogUnavailable
from history.errors import HistoryError
from mesh import caller
from mesh.boundary import Context
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.access.v1 import statistics_service_pb2 as messages
from parkmesh.access.v1 import statistics_service_pb2_grpc as rpc
from parkmesh.errors.v1 import error_reason_pb2 as reasons

from access_records.queries import query
from access_records.records.reading import history_unavailable, log_unavailable
from access_records.statistics import scope
from access_records.statistics.figures import Question, Statistics
from access_records.statistics.scope import Wanted

A = TypeVar("A")

QUERIES: Final = frozenset({"flows", "peaks", "turnover", "utilisation", "durations", "delays", "quality"})
"""The queries that figures come from."""


class Asked(Protocol):
    """The fields that all requests share."""

    start_date: str
    end_date: str
    lot_id: str
    operator_id: str
    division_code: str
    group_by: messages.StatisticsGroup.ValueType
    include_inactive: bool


class StatisticsServicer(rpc.StatisticsServiceServicer):
    """Statistics over gRPC."""

    def __init__(self, statistics: Statistics, clock: Clock) -> None:
        self._statistics = statistics
        self._clock = clock

    async def GetFlows(self, request: messages.GetFlowsRequest, context: Context) -> messages.GetFlowsResponse:
        """See the proto."""
        question = _question(request)
        return await _answered(self._statistics.flows(caller.current(), question, request.step, self._clock.now_ms()))

    async def GetPeaks(self, request: messages.GetPeaksRequest, context: Context) -> messages.GetPeaksResponse:
        """See the proto."""
        return await _answered(self._statistics.peaks(caller.current(), _question(request), self._clock.now_ms()))

    async def GetTurnover(self, request: messages.GetTurnoverRequest, context: Context) -> messages.GetTurnoverResponse:
        """See the proto."""
        return await _answered(self._statistics.turnover(caller.current(), _question(request), self._clock.now_ms()))

    async def GetDurations(
        self, request: messages.GetDurationsRequest, context: Context
    ) -> messages.GetDurationsResponse:
        """See the proto."""
        return await _answered(self._statistics.durations(caller.current(), _question(request), self._clock.now_ms()))

    async def GetDelays(self, request: messages.GetDelaysRequest, context: Context) -> messages.GetDelaysResponse:
        """See the proto."""
        return await _answered(self._statistics.delays(caller.current(), _question(request), self._clock.now_ms()))

    async def GetQuality(self, request: messages.GetQualityRequest, context: Context) -> messages.GetQualityResponse:
        """See the proto."""
        return await _answered(self._statistics.quality(caller.current(), _question(request), self._clock.now_ms()))

    async def GetStatisticsQuery(
        self, request: messages.GetStatisticsQueryRequest, context: Context
    ) -> messages.StatisticsQuery:
        """See the proto."""
        if request.query_name not in QUERIES:
            raise MeshError(reasons.ERROR_REASON_RESOURCE_NOT_FOUND, "There is no such query.")
        return messages.StatisticsQuery(query_name=request.query_name, sql=query(request.query_name))


def _question(request: Asked) -> Question:
    return Question(
        days=scope.days(request.start_date, request.end_date),
        wanted=Wanted(
            lot_id=request.lot_id,
            operator_id=request.operator_id,
            division_code=request.division_code,
            include_inactive=request.include_inactive,
        ),
        group=request.group_by,
    )


async def _answered(asking: Awaitable[A]) -> A:
    try:
        return await asking
    except HistoryError:
        raise history_unavailable() from None
    except LogUnavailable:
        raise log_unavailable() from None
